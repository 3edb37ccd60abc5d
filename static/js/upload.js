// The first page: pictures are checked and sent ahead one by one as they are chosen, each with its own progress and
// its own error; the job is submitted with what arrived. One picture goes straight to its page.
import { ApiError, callJson, toast } from "./api.js";
import { readOptions, wireParameters } from "./parameters.js";
import { Sending } from "./sending.js";

const form = document.getElementById("upload");
const text = (name, values = {}) => Object.entries(values).reduce((line, [key, value]) => line.replace(`{${key}}`, () => value), form.dataset[`text${name}`]);
const limits = JSON.parse(document.getElementById("limits").textContent);
const list = document.getElementById("tray-list");
const status = document.getElementById("upload-status");
const items = new Set();
const sending = new Sending(form.dataset.uploads, items, { onItem: showNews, onRest: showRest });
let submitting = false;

const megabytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MB`;
const isPicture = (file) => file.type.startsWith("image/") || /\.(heic|heif|avif|tiff?|bmp)$/i.test(file.name);

function addFiles(files) {
  const chosen = [...files];
  const room = limits.max_images - items.size;
  for (const file of chosen.slice(0, room)) addFile(file);
  status.textContent = chosen.length > room ? text("TooMany", { limit: limits.max_images, count: chosen.length - room }) : "";
  refresh();
  sending.next();
}

function addFile(file) {
  const row = document.createElement("li");
  row.className = "tray-item";
  const item = { file, row, id: null, state: "waiting", error: null };
  row.innerHTML = '<div class="frame"><button type="button" class="remove">×</button></div><span class="name"></span><progress max="1" value="0"></progress><span class="state"></span><button type="button" class="button small again" hidden></button>';
  row.querySelector(".name").textContent = file.name;
  row.querySelector(".remove").setAttribute("aria-label", `${text("Remove")}: ${file.name}`);
  row.querySelector(".remove").addEventListener("click", () => { items.delete(item); row.remove(); refresh(); });
  row.querySelector(".again").textContent = text("Again");
  row.querySelector(".again").addEventListener("click", () => { Object.assign(item, { state: "waiting", tries: 0 }); show(item); refresh(); sending.next(); });
  preview(item);
  if (!isPicture(file)) Object.assign(item, { state: "refused", error: { message: text("Type") } });
  else if (file.size > limits.max_bytes) Object.assign(item, { state: "refused", error: { message: text("Large", { limit: megabytes(limits.max_bytes) }) } });
  items.add(item);
  list.append(row);
  show(item);
}

function preview(item) {
  const image = new Image();
  image.alt = "";
  image.loading = "lazy"; // hundreds of photos are not all decoded at once
  image.src = URL.createObjectURL(item.file);
  image.onload = () => URL.revokeObjectURL(image.src);
  image.onerror = () => { URL.revokeObjectURL(image.src); image.remove(); };
  item.row.querySelector(".frame").prepend(image);
}

// Errors without a status come from here or from the line, and the line says nothing.
const sentence = (error) => error.message || text("Lost");

function show(item, progress = 0) {
  const failed = ["refused", "failed"].includes(item.state);
  const words = { waiting: "", sending: text("Sending"), ready: text("Ready") };
  item.row.classList.toggle("failed", failed);
  item.row.querySelector(".state").textContent = failed ? sentence(item.error) : words[item.state];
  item.row.querySelector("progress").hidden = item.state !== "sending";
  item.row.querySelector("progress").value = progress;
  item.row.querySelector(".again").hidden = item.state !== "failed";
}

function showNews(item, progress = 0) {
  show(item, progress);
  if (item.state === "sending") return;
  refresh();
  if (items.size === 1 && item.state === "ready") submit();
}

function showRest(seconds, error) {
  status.textContent = seconds ? text("Rest", { reason: error.message || text("Offline"), seconds }) : "";
  refresh();
}

function refresh() {
  form.classList.toggle("has-files", items.size > 0);
  document.getElementById("tray").hidden = items.size === 0;
  document.getElementById("go-row").hidden = items.size === 0;
  document.getElementById("retry").hidden = !sending.timer && [...items].filter((item) => item.state === "failed").length < 2;
  const good = [...items].filter((item) => !["refused", "failed"].includes(item.state)).length;
  const button = document.getElementById("go");
  document.getElementById("go-text").textContent = good === 1 ? text("One") : text("Many", { count: good });
  button.disabled = good === 0 || submitting || [...items].some((item) => ["waiting", "sending"].includes(item.state));
}

async function submit(extra = {}) {
  if (submitting) return;
  submitting = true;
  refresh();
  const uploads = [...items].filter((item) => item.id).map((item) => item.id);
  try {
    const job = await callJson("POST", form.dataset.jobs, { json: { ...readOptions(form), ...(uploads.length ? { upload: uploads } : {}), ...extra } });
    location.assign(`${form.dataset.jobPage}${job.id}/`);
  } catch (error) {
    submitting = false;
    refresh();
    status.textContent = error instanceof ApiError ? sentence(error) : text("Lost");
  }
}

function wireDropping() {
  let depth = 0;
  const over = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => { if (over(event)) { depth += 1; document.body.classList.add("dragging"); } });
  document.addEventListener("dragleave", (event) => { if (over(event) && --depth <= 0) { depth = 0; document.body.classList.remove("dragging"); } });
  document.addEventListener("dragover", (event) => over(event) && event.preventDefault());
  document.addEventListener("drop", async (event) => {
    if (!over(event)) return;
    event.preventDefault();
    depth = 0;
    document.body.classList.remove("dragging");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    addFiles(entries.some((entry) => entry.isDirectory) ? await filesIn(entries) : event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) addFiles(event.clipboardData.files);
    else if (/^https?:\/\/\S+$/.test(event.clipboardData.getData("text").trim()) && !event.target.matches("input, textarea")) askUrl(event.clipboardData.getData("text").trim());
  });
}

async function filesIn(entries) {
  const found = [];
  for (const entry of entries) {
    if (entry.isFile) found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    else {
      const reader = entry.createReader();
      let batch;
      do {
        batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        found.push(...(await filesIn(batch)));
      } while (batch.length);
    }
  }
  return found.filter(isPicture);
}

function askUrl(address = "") {
  const dialog = document.getElementById("url-dialog");
  document.getElementById("url").value = address;
  dialog.returnValue = ""; // Esc leaves it as it was the last time
  dialog.showModal();
}

function wireChoosing() {
  const files = document.getElementById("files");
  const take = () => { addFiles(files.files); files.value = ""; };
  files.addEventListener("change", take);
  if (files.files.length) take(); // chosen before this script was there
  const folder = document.getElementById("folder");
  folder.addEventListener("change", () => { addFiles([...folder.files].filter(isPicture)); folder.value = ""; });
  document.getElementById("choose-folder").addEventListener("click", (event) => { event.preventDefault(); folder.click(); });
  document.getElementById("choose-url").addEventListener("click", (event) => { event.preventDefault(); askUrl(); });
  const dialog = document.getElementById("url-dialog");
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "ok") submit({ image_url: [document.getElementById("url").value.trim()] }).then(() => status.textContent && toast(status.textContent));
  });
  document.getElementById("retry").addEventListener("click", () => sending.goOn({ failed: true }));
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
}

// Back shows the page as it was left, in the middle of submitting.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  submitting = false;
  refresh();
});

wireParameters(form);
wireDropping();
wireChoosing();
refresh();
