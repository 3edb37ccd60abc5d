// Clients of the PicWish dialect as JavaScript programs write them: the documented submission by fetch, and two pollers.
// Usage: node clients.mjs COMMAND BASE_URL KEY ARGUMENT; prints one line of JSON.

const [command, base, key, argument] = process.argv.slice(2);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function submit(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const headers = { Authorization: `Bearer ${key}` };
  const response = await fetch(`${base}/task/pic/segmentation`, { method: "POST", headers, body: form });
  return response.json();
}

async function look(taskId) {
  const response = await fetch(`${base}/api/tasks/visual/segmentation/${taskId}`, { headers: { "X-API-KEY": key } });
  return (await response.json()).data;
}

// Every half second for a minute, until a picture is there, whatever the state says.
async function untilPicture(taskId) {
  for (let looks = 1; looks <= 120; looks += 1) {
    const data = await look(taskId);
    if (data.image) return { ...data, looks };
    if (data.state < 0) return { ...data, looks };
    await pause(500);
  }
  return null;
}

// After 2, 4, 8 and then every 16 seconds, until state and progress agree that it is complete.
async function untilComplete(taskId) {
  let wait = 2000;
  for (let looks = 1; looks <= 10; looks += 1) {
    await pause(wait);
    wait = Math.min(wait * 2, 16000);
    const data = await look(taskId);
    if (data.state === 1 && data.progress === 100) return { ...data, looks };
    if (data.state < 0) return { ...data, looks };
  }
  return null;
}

const commands = {
  fetch: () => submit({ image_url: argument, sync: "1", output_type: "2", format: "png" }),
  untilPicture: async () => untilPicture((await submit({ image_url: argument })).data.task_id),
  untilComplete: async () => untilComplete((await submit({ image_url: argument })).data.task_id),
};
console.log(JSON.stringify(await commands[command]()));
