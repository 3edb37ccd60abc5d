// One picture's page: waits for the result, shows it against the original, and renders it anew with every change.
import { ApiError, call, callJson, toast } from "./api.js";
import { BoxEditor } from "./boxes.js";
import { Brush } from "./brush.js";
import { Compare } from "./compare.js";
import { followDrag } from "./drag.js";
import { Files, offer } from "./files.js";
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
let awaited = null; // the state of the job whose end is waited for
const earlier = []; // what was shown before each run, newest last

const viewport = new Viewport(id("pane"), [id("view"), id("pane-second").querySelector(".view")], { onChange: viewChanged });
const compare = new Compare(id("pane"), viewport, { input: id("split"), line: id("split-line"), before: id("before") });
const boxes = new BoxEditor(id("boxes"), viewport, { label: text("Box"), onChange: listBoxes, onCommit: runBoxes });
const brush = new Brush(id("brush"), viewport, { onCommit: () => render() });
const people = new People(id("boxes"), id("people-list"), viewport, { label: text("Person"), nobody: text("Nobody"), onChange: () => render() });
const tune = new Tune(id("tune"), { onChange: () => render(), onBehind: showBehind });
const files = new Files({ tune, text, render: variant, shown: () => [state.image, people.chosen, brush.strokes], name: () => state.name });

// Name what fetch throws when nothing answers, a TypeError: a slip of any script is one too.
const answered = (promise) => promise.catch((error) => { throw error instanceof TypeError ? new ApiError(text("Offline"), { code: "connection_lost" }) : error; });

// What goes while the keyboard is in it hands it to the tool in use; else the next Tab would begin at the page's top.
function show(element, visible) {
  if (!visible && element.contains(document.activeElement)) document.querySelector(`button[data-tool=${stage.dataset.tool}]`).focus();
  element.hidden = !visible;
}

function note(message, { error = false } = {}) {
  show(id("stage-note"), message);
  id("stage-note").classList.toggle("error", error);
  id("stage-text").textContent = message;
  show(id("cancel-form"), awaited?.alone);
  show(id("retry-form"), error && state.alone && state.status === "failed");
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
    ...state, job: job.id, alone: job.images_total === 1, image: image.id, position: image.position, status: image.status, error: image.error?.detail ?? "", width: image.width, height: image.height,
    options: job.options, foreground: image.foreground, people: image.instances, source: link("source") || state.source, cutout: link("cutout"),
    urls: { job: address(""), variants: address("variants"), again: address("again"), cancel: address("cancel") },
  };
}

const hasEnded = (job) => ["succeeded", "failed", "canceled"].includes(job.status);
const complaint = (job) => (job.status === "canceled" ? text("Canceled") : job.error || text("Failed"));

// Wait for a job's end; give its last state, or null when something else is wished meanwhile or the server refuses.
async function ended(job) {
  const mine = turn;
  let pause = 500;
  while (!hasEnded(job)) {
    awaited = job;
    note(job.status === "queued" ? text("Waiting") : text("Working"));
    try {
      job = fromJob(await callJson("GET", `${job.urls.job}?wait=20`));
      pause = 500;
    } catch (error) {
      if (mine !== turn) return null;
      if (error instanceof ApiError && error.status < 500) { awaited = null; note(error.message, { error: true }); return null; }
      note(text("Lost"), { error: true });
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 8000);
    }
    if (mine !== turn) return null;
  }
  awaited = null;
  return job;
}

async function open() {
  const job = await ended(state);
  if (!job) return;
  state = job;
  showResult({ dropped: people.dropped });
}

function showResult({ dropped = [] } = {}) {
  rendering?.abort();
  showSource();
  show(id("back"), earlier.length > 0);
  const failed = state.status !== "succeeded";
  stage.classList.toggle("is-empty", failed);
  if (failed) { note(complaint(state), { error: true }); return; }
  if (state.width !== viewport.size[0] || state.height !== viewport.size[1]) viewport.setPicture(state.width, state.height);
  if (state.options.method === "boxes" && !boxes.boxes.length) boxes.set(state.options.boxes);
  listBoxes(boxes.boxes);
  people.set(state.options.method === "instances" ? state.people : null, dropped);
  showPeoplePart();
  brush.setPicture(state.width, state.height);
  showBackground();
  if (isStored()) { note(""); showPicture(state.cutout); } else { note(text("Working")); render(); }
}

// Whether the stored cutout is what the stage shows: the whole picture, transparent, as the panel says and untouched.
function isStored() {
  const { crop, background, format } = state.options;
  const isWhole = state.cutout && !crop && !background && format !== "jpeg";
  return isWhole && tune.hasOutlineOf(state.options) && brush.isEmpty && !people.chosen;
}

function showSource() {
  for (const image of [id("before"), id("before-second")]) if (state.source && image.getAttribute("src") !== state.source) image.src = state.source;
  if (state.width && viewport.size[0] === 1) { viewport.setPicture(state.width, state.height); brush.setPicture(state.width, state.height); }
}

function showPicture(address) {
  const previous = id("after").src;
  id("after").src = address;
  if (previous.startsWith("blob:")) URL.revokeObjectURL(previous);
}

// A new run of the model ----------------------------------------------------------------------------------------------
// What is shown stays until the new result is there, and is kept for the way back.
async function again(options) {
  const wish = JSON.stringify(options);
  if (wish === running) return;
  leaveRun();
  running = wish;
  const mine = turn;
  note(text("Working"));
  try {
    // A short wait: what takes longer is known by then, and can be cancelled.
    const answer = await answered(callJson("POST", `${state.urls.again}?wait=2`, { json: { ...options, position: state.position } }));
    if (mine !== turn) return;
    const job = await ended(fromJob(answer));
    if (job?.status === "succeeded") replaceBy(job);
    else if (job) giveUp(complaint(job));
  } catch (error) {
    if (mine === turn) giveUp(error.message);
  } finally {
    if (mine === turn) running = null;
  }
}

function leaveRun() {
  turn += 1;
  running = awaited = null;
}

function giveUp(message) {
  if (hasEnded(state)) note(message, { error: true });
  else { toast(message); open(); } // which was waited for before
}

function replaceBy(job) {
  if (state.status === "succeeded") earlier.push({ state, address: location.pathname, options: tune.options(), dropped: people.dropped, strokes: [...brush.strokes] });
  state = job;
  history.replaceState(null, "", `/jobs/${state.job}/`);
  showResult();
}

function goBack() {
  const before = earlier.pop();
  leaveRun();
  state = before.state;
  history.replaceState(null, "", before.address);
  tune.show(before.options);
  brush.setStrokes(before.strokes);
  boxes.set(state.options.method === "boxes" ? state.options.boxes : []);
  showResult(before);
}

function runBoxes(list) {
  const shown = state.options.method === "boxes" ? state.options.boxes : [];
  if (JSON.stringify(list) !== JSON.stringify(shown)) again({ ...tune.options(), ...(list.length ? { method: "boxes", boxes: list } : { method: "auto" }) });
  else if (running !== null) { leaveRun(); open(); }
}

function findPeople() {
  again({ ...tune.options(), method: "instances", outputs: ["cutout", "mask", "visualization"] });
}

function showPeoplePart() {
  show(id("people-wish"), state.options.method !== "instances");
  id("hint-people").hidden = !people.people?.length || stage.dataset.tool !== "people";
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
function variant(options, { keep = false, signal } = {}) {
  return answered(send({ ...options, position: state.position }, keep, signal).then((response) => (keep ? response.json() : response.blob())));
}

async function send(values, keep, signal) {
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
    // The stage shows the whole picture, transparent, so that it lines up with the original and with what is behind it;
    // crop and colour are rendered for real in what is downloaded.
    const blob = await variant({ ...tune.options(), crop: false, background: null, format: "png", outputs: ["cutout"] }, { signal });
    showPicture(URL.createObjectURL(blob));
    if (running === null) note("");
  } catch (error) {
    if (error.name !== "AbortError") note(error.message, { error: true });
  }
}

function showBackground() {
  const color = tune.options().background;
  id("backdrop").classList.toggle("checkerboard", !color && !tune.behind);
  id("backdrop").classList.toggle("colored", Boolean(color));
  if (color) id("backdrop").style.setProperty("--behind", color);
}

// The picture behind never leaves the browser, so the server can neither share nor keep what is seen.
function showBehind(address) {
  id("backdrop").classList.toggle("pictured", Boolean(address));
  id("backdrop").style.backgroundImage = address ? `url("${address}")` : "";
  for (const button of [id("share"), id("keep")]) {
    button.disabled = Boolean(address);
    button.title = address ? text("OnlyHere") : button.getAttribute("aria-label") ?? "";
  }
  showBackground();
}

// Tools ---------------------------------------------------------------------------------------------------------------
function useTool(name) {
  stage.dataset.tool = name;
  id("tools").querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.tool === name)));
  for (const part of ["boxes", "people", "brush"]) {
    id(`part-${part}`).hidden = part !== name;
    id(`hint-${part}`).hidden = part !== name;
  }
  showPeoplePart();
  id("pane-second").hidden = name !== "side";
  viewport.fit();
  if (name === "boxes") boxes.draw();
  if (name === "people") people.draw();
}

function wireTools() {
  id("tools").addEventListener("click", (event) => {
    const button = event.target.closest("[data-tool]");
    if (button) useTool(button.dataset.tool);
  });
  for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) stage.addEventListener(kind, (event) => viewport.pinch(event), true);
  stage.addEventListener("pointerdown", (event) => { if (event.button === 1 || stage.dataset.tool === "side") startPan(event); });
  id("back").addEventListener("click", goBack);
  id("find-people").addEventListener("click", findPeople);
  id("box-add").addEventListener("click", () => boxes.add());
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
  if (viewport.pointers.size > 1) return;
  event.preventDefault();
  followDrag(event, (dx, dy) => viewport.panBy(dx, dy));
}

function wireFiles() {
  const saying = (promise) => promise.catch((error) => toast(error.message));
  id("download").addEventListener("click", () => saying(files.download()));
  document.querySelectorAll("[data-download]").forEach((button) => button.addEventListener("click", () => saying(files.download(button.dataset.download))));
  id("copy").addEventListener("click", () => saying(files.copy()));
  id("share").addEventListener("click", () => saying(files.share()));
  id("keep").addEventListener("click", () => saying(files.keep()));
  id("cancel-form").addEventListener("submit", (event) => {
    event.preventDefault(); // its end is being waited for here
    saying(answered(callJson("POST", awaited.urls.cancel)));
  });
  id("deletion").addEventListener("submit", (event) => {
    event.target.elements.namedItem("image").value = state.image;
    if (!window.confirm(text("Sure"))) event.preventDefault();
  });
  id("id-photo").addEventListener("click", () => openIdPhoto(id("after"), state, { onBlob: offer }));
}

wireTools();
wireFiles();
tune.set(state.options); // once: from here on the form is the visitor's
showSource();
stage.classList.toggle("is-empty", state.status !== "succeeded");
open();
