// One picture's page: waits for the result, shows it against the original, and renders it anew with every change.
import { ApiError, call, callJson, toast } from "./api.js";
import { BoxEditor } from "./boxes.js";
import { Brush } from "./brush.js";
import { Compare } from "./compare.js";
import { openIdPhoto } from "./idphoto.js";
import { People } from "./people.js";
import { Tune } from "./tune.js";
import { Viewport } from "./viewport.js";

const id = (name) => document.getElementById(name);
const root = id("editor");
const text = (name) => root.dataset[`text${name}`];
const stage = id("stage");
let state = JSON.parse(id("state").textContent);
let rendering = null; // aborts the rendering for the stage that is under way
let running = null; // the wish that the model runs for, as text; null when it does not
let turn = 0; // counts the runs: an answer to an earlier one comes too late
let shown = null; // the blob on the stage, for copying

const viewport = new Viewport(id("pane"), [id("view"), id("pane-second").querySelector(".view")], { onChange: viewChanged });
const compare = new Compare(id("pane"), viewport, { input: id("split"), line: id("split-line"), before: id("before") });
const boxes = new BoxEditor(id("boxes"), viewport, { label: text("Box"), onChange: listBoxes, onCommit: runBoxes });
const brush = new Brush(id("brush"), viewport, { onCommit: () => render() });
const people = new People(id("boxes"), id("people-list"), viewport, { label: text("Person"), nobody: text("Nobody"), onChange: () => render() });
const tune = new Tune(id("tune"), { onChange: () => render(), onBehind: showBehind });

// What to say about an error: fetch throws a TypeError when nothing answers.
const reason = (error) => (error instanceof TypeError ? text("Offline") : error.message);

function note(message, { error = false } = {}) {
  id("stage-note").hidden = !message;
  id("stage-note").classList.toggle("error", error);
  id("stage-text").textContent = message;
}

function viewChanged(view) {
  id("zoom-value").value = `${Math.round(view.scale * 100)} %`;
  const [left, top] = view.toPane(0, 0);
  Object.assign(id("backdrop").style, { left: `${left}px`, top: `${top}px`, width: `${view.size[0] * view.scale}px`, height: `${view.size[1] * view.scale}px` });
  compare?.place();
  if (stage.dataset.tool === "boxes") boxes.draw();
  if (stage.dataset.tool === "people") people.draw();
}

// The job -------------------------------------------------------------------------------------------------------------
function fromJob(job) {
  const image = job.images.find((entry) => entry.id === state.image) ?? job.images[0];
  const link = (kind) => image.files.filter((file) => file.kind === kind).pop()?.url ?? "";
  const address = (action) => `/api/jobs/${job.id}/${action}`;
  return {
    ...state, job: job.id, image: image.id, position: image.position, status: image.status, error: image.error?.detail ?? "", width: image.width, height: image.height,
    options: job.options, people: image.instances, source: link("source") || state.source, cutout: link("cutout"),
    urls: { job: address(""), variants: address("variants"), again: address("again"), cancel: address("cancel") },
  };
}

const hasEnded = () => ["succeeded", "failed", "canceled"].includes(state.status);

async function waitForEnd() {
  const mine = turn;
  let pause = 500;
  while (!hasEnded()) {
    note(state.status === "queued" ? text("Waiting") : text("Working"));
    try {
      const job = await callJson("GET", `${state.urls.job}?wait=20`);
      if (mine !== turn) return;
      state = fromJob(job);
      pause = 500;
    } catch (error) {
      if (mine !== turn) return;
      if (error instanceof ApiError && error.status < 500) { note(error.message, { error: true }); return; }
      note(text("Lost"), { error: true });
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (mine !== turn) return;
      pause = Math.min(pause * 2, 8000);
    }
  }
  showResult();
}

function showResult() {
  rendering?.abort();
  showSource();
  const failed = state.status !== "succeeded";
  stage.classList.toggle("is-empty", failed);
  if (failed) { note(state.status === "canceled" ? text("Canceled") : state.error || text("Failed"), { error: true }); return; }
  note("");
  if (state.width !== viewport.size[0] || state.height !== viewport.size[1]) viewport.setPicture(state.width, state.height);
  tune.set(state.options);
  if (state.options.method === "boxes" && !boxes.boxes.length) boxes.set(state.options.boxes);
  listBoxes(boxes.boxes);
  people.set(state.options.method === "instances" ? state.people : null);
  brush.setPicture(state.width, state.height);
  if (state.options.crop || state.options.format === "jpeg") render();
  else showPicture(state.cutout);
}

function showSource() {
  for (const image of [id("before"), id("before-second")]) if (state.source && image.getAttribute("src") !== state.source) image.src = state.source;
  if (state.width && viewport.size[0] === 1) { viewport.setPicture(state.width, state.height); brush.setPicture(state.width, state.height); }
}

function showPicture(address) {
  id("after").src = address;
  shown = null;
}

// A new run of the model ----------------------------------------------------------------------------------------------
async function again(options) {
  const wish = JSON.stringify(options);
  if (wish === running) return;
  running = wish;
  turn += 1;
  const mine = turn;
  note(text("Working"));
  try {
    const job = await callJson("POST", `${state.urls.again}?wait=20`, { json: { ...options, position: state.position } });
    if (mine !== turn) return;
    state = fromJob(job);
    history.replaceState(null, "", `/jobs/${state.job}/`);
    await waitForEnd();
  } catch (error) {
    if (mine !== turn) return;
    if (hasEnded()) note(reason(error), { error: true });
    else { toast(reason(error)); waitForEnd(); } // for the run before this one
  } finally {
    if (mine === turn) running = null;
  }
}

function runBoxes(list) {
  if (list.length) again({ ...tune.options(), crop: false, method: "boxes", boxes: list });
  else if (state.options.method === "boxes") again({ ...tune.options(), crop: false, method: "auto" });
}

function listBoxes(list) {
  id("box-list").replaceChildren(...list.map((box, index) => {
    const row = document.createElement("li");
    row.append(`${index + 1}. ${box[0]}, ${box[1]} – ${box[2]}, ${box[3]}`);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button plain small", textContent: "×" });
    button.setAttribute("aria-label", `${text("Remove")} ${text("Box")} ${index + 1}`);
    button.addEventListener("click", () => boxes.remove(index));
    row.append(button);
    return row;
  }));
}

// A new rendering without the model -----------------------------------------------------------------------------------
async function variant(options, { keep = false, signal } = {}) {
  const values = { ...options, position: state.position };
  if (people.chosen) values.people = people.chosen;
  if (brush.isEmpty) return call("POST", state.urls.variants, { json: { ...values, keep }, signal });
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) if (value !== null) form.append(name, Array.isArray(value) ? value.join(",") : String(value));
  form.append("keep", String(keep));
  form.append("brush", await brush.toPng(), "brush.png");
  return call("POST", state.urls.variants, { form, signal });
}

async function render() {
  if (state.status !== "succeeded") return;
  showBackground();
  rendering?.abort();
  rendering = new AbortController();
  const { signal } = rendering;
  try {
    // The stage shows the whole picture, transparent, so that it lines up with the original; crop and colour are laid
    // over it here and rendered for real in what is downloaded.
    const response = await variant({ ...tune.options(), crop: false, background: null, format: "png", outputs: ["cutout"] }, { signal });
    const blob = await response.blob();
    const previous = id("after").src;
    id("after").src = URL.createObjectURL(blob);
    shown = blob;
    if (previous.startsWith("blob:")) URL.revokeObjectURL(previous);
    if (running === null) note("");
  } catch (error) {
    if (error.name !== "AbortError") note(reason(error), { error: true });
  }
}

function showBackground() {
  const color = tune.options().background;
  id("backdrop").classList.toggle("checkerboard", !color && !tune.behind);
  id("backdrop").classList.toggle("colored", Boolean(color) && !tune.behind);
  if (color) id("backdrop").style.setProperty("--behind", color);
}

function showBehind(address) {
  id("backdrop").classList.toggle("pictured", Boolean(address));
  id("backdrop").style.backgroundImage = address ? `url("${address}")` : "";
  showBackground();
}

// Files ---------------------------------------------------------------------------------------------------------------
const DOWNLOADS = { png: {}, webp: {}, jpeg: {}, mask: { outputs: ["mask"] }, alpha: { outputs: ["alpha"] } };

async function save(kind = "") {
  const options = { ...tune.options(), outputs: ["cutout"], ...(DOWNLOADS[kind] ?? {}) };
  if (["png", "webp", "jpeg"].includes(kind)) options.format = kind;
  if (kind === "jpeg" && !options.background) options.background = "#ffffff";
  try {
    const blob = tune.behind && !kind ? await tune.composed(id("after"), state) : await (await variant(options)).blob();
    const extension = { "image/jpeg": "jpg", "image/webp": "webp" }[blob.type] ?? "png";
    const suffix = options.outputs[0] === "cutout" ? "cutout" : options.outputs[0];
    offer(blob, `${state.name.replace(/\.[^.]+$/, "") || "picture"}-${suffix}.${extension}`);
  } catch (error) {
    toast(reason(error));
  }
}

export function offer(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function copyPicture() {
  try {
    const blob = shown ?? (await (await fetch(id("after").src)).blob());
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    toast(text("Copied"));
  } catch (error) {
    toast(reason(error));
  }
}

async function share() {
  const kept = await (await variant({ ...tune.options(), outputs: ["cutout"] }, { keep: true })).json();
  await navigator.clipboard.writeText(kept.url);
  toast(text("Linked"));
}

// Tools ---------------------------------------------------------------------------------------------------------------
function useTool(name) {
  stage.dataset.tool = name;
  id("tools").querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.tool === name)));
  for (const part of ["boxes", "people", "brush"]) {
    id(`part-${part}`).hidden = part !== name;
    id(`hint-${part}`).hidden = part !== name;
  }
  id("pane-second").hidden = name !== "side";
  viewport.fit();
  if (name === "boxes") boxes.draw();
  if (name === "people") {
    people.draw();
    if (state.status === "succeeded" && state.options.method !== "instances") again({ ...tune.options(), crop: false, method: "instances", outputs: ["cutout", "mask", "visualization"] });
  }
}

function wireTools() {
  id("tools").addEventListener("click", (event) => {
    const button = event.target.closest("[data-tool]");
    if (button) useTool(button.dataset.tool);
  });
  for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) stage.addEventListener(kind, (event) => viewport.pinch(event), true);
  stage.addEventListener("pointerdown", (event) => { if (event.button === 1 || stage.dataset.tool === "side") startPan(event); });
  id("zoom-in").addEventListener("click", () => viewport.zoomBy(1.4));
  id("zoom-out").addEventListener("click", () => viewport.zoomBy(1 / 1.4));
  id("zoom-fit").addEventListener("click", () => viewport.fit());
  id("box-undo").addEventListener("click", () => boxes.undo());
  id("box-clear").addEventListener("click", () => boxes.clear());
  id("brush-undo").addEventListener("click", () => brush.undo());
  id("brush-clear").addEventListener("click", () => brush.clear());
  id("brush-size").addEventListener("input", (event) => { brush.sizePx = Number(event.target.value); });
  document.querySelectorAll("[data-brush]").forEach((button) => button.addEventListener("click", () => {
    brush.mode = button.dataset.brush;
    document.querySelectorAll("[data-brush]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
  }));
}

function startPan(event) {
  event.preventDefault();
  let last = [event.clientX, event.clientY];
  const move = (next) => { viewport.panBy(next.clientX - last[0], next.clientY - last[1]); last = [next.clientX, next.clientY]; };
  const end = () => { window.removeEventListener("pointermove", move); window.removeEventListener("pointerup", end); };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", end);
}

function wireFiles() {
  id("download").addEventListener("click", () => save());
  document.querySelectorAll("[data-download]").forEach((button) => button.addEventListener("click", () => save(button.dataset.download)));
  id("copy").addEventListener("click", copyPicture);
  id("share").addEventListener("click", () => share().catch((error) => toast(reason(error))));
  id("keep").addEventListener("click", () => variant({ ...tune.options(), outputs: ["cutout"] }, { keep: true }).then(() => toast(text("Kept")), (error) => toast(reason(error))));
  id("deletion").addEventListener("submit", (event) => {
    event.target.elements.namedItem("image").value = state.image;
    if (!window.confirm(text("Sure"))) event.preventDefault();
  });
  id("id-photo").addEventListener("click", () => openIdPhoto(id("after"), state, { onBlob: offer }));
}

wireTools();
wireFiles();
showSource();
stage.classList.toggle("is-empty", state.status !== "succeeded");
waitForEnd();
