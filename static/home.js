// Drop, paste or choose a picture; it goes to the native API and the cutout is shown as soon as it is ready.
const form = document.getElementById("submit");
const drop = document.getElementById("drop");
const input = form.querySelector("input[type=file]");
const status = document.getElementById("status");
const result = document.getElementById("result");

async function send(file) {
  status.textContent = "Working…";
  result.hidden = true;
  const body = new FormData();
  body.append("image", file);
  const headers = { "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value };
  try {
    const answer = await fetch(`${form.dataset.url}?wait=60`, { method: "POST", headers, body });
    const job = await answer.json();
    if (!answer.ok || job.status !== "succeeded") throw new Error(job.detail || job.error?.detail || "It took too long.");
    const file = job.images[0].files.find((entry) => entry.kind === "cutout");
    document.getElementById("cutout").src = file.url;
    document.getElementById("download").href = `${file.url}&download=1`;
    status.textContent = "";
    result.hidden = false;
  } catch (error) {
    status.textContent = error.message;
  }
}

input.addEventListener("change", () => input.files.length && send(input.files[0]));
document.addEventListener("paste", (event) => event.clipboardData.files.length && send(event.clipboardData.files[0]));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}
