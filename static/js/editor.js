// The page of one picture: waits for the result, shows it against the original, and renders it again with every change.
// This module combines the parts; each part is a module in editor/, and all share one state (editor/state.js).
import { boxesOf, linkTo, pointsOf } from "./api/job.js";
import { confirmSubmits } from "./page/confirm.js";
import { byId, find, findAll, readJson } from "./page/elements.js";
import { gettext } from "./page/texts.js";
import { toast } from "./page/toast.js";
import { fillBoxList } from "./editor/box_list.js";
import { BoxEditor } from "./editor/boxes.js";
import { Brush } from "./editor/brush.js";
import { Compare } from "./editor/compare.js";
import { cropFrame } from "./editor/crop.js";
import { Files } from "./editor/files.js";
import { DragOut } from "./editor/drag_out.js";
import { FinishControls } from "./editor/finish_controls.js";
import { isFinished } from "./editor/finish_recipe.js";
import { FinishStage } from "./editor/finish_stage.js";
import { IdPhoto } from "./editor/id_photo.js";
import { People } from "./editor/people.js";
import { RecipeDialog } from "./editor/recipe_dialog.js";
import { Points } from "./editor/points.js";
import { Renderings } from "./editor/renderings.js";
import { Runs, complaintOf } from "./editor/runs.js";
import { Stage } from "./editor/stage.js";
import { Steps } from "./editor/steps.js";
import {
  createState,
  isShownEnded,
  isStoredCutoutShown,
  restore,
  setJob,
  shownImage,
  startRun,
  takeEdit,
} from "./editor/state.js";
import { Tools } from "./editor/tools.js";
import { Versions } from "./editor/versions.js";
import { Viewport } from "./editor/viewport.js";
import { Swatches } from "./settings/background.js";
import { SettingsForm } from "./settings/form.js";
import { PEOPLE_OUTPUTS, optionsToRender } from "./settings/options.js";

/** @typedef {import("./api/job.js").Options} Options */

const edit = readJson("edit");
const state = createState(readJson("job"), readJson("image"), edit.version);
takeEdit(state, edit.edit);
const stage = new Stage(state);
const viewport = new Viewport(byId("pane"), [byId("view"), find(byId("pane-second"), ".view")], { onChange: showView });
const compare = new Compare(byId("pane"), viewport, state, {
  input: byId("split", HTMLInputElement),
  line: byId("split-line"),
  before: byId("before"),
  labels: [byId("label-before"), byId("label-after")],
});
const overlay = byId("boxes", SVGSVGElement);
const boxes = new BoxEditor(overlay, viewport, state, {
  onChange: listBoxes,
  onStep: record,
  onCommit: () => runs.runBoxes(),
});
const points = new Points(overlay, viewport, state, {
  onCommit() {
    record();
    runs.runPoints();
  },
});
const people = new People(overlay, byId("people-list"), viewport, state, { onChange: changed });
const canvas = byId("brush", HTMLCanvasElement);
const brush = new Brush(
  { canvas, ring: byId("brush-ring"), after: stage.after, before: byId("before", HTMLImageElement) },
  viewport,
  state,
  { onCommit: changed },
);
const renderings = new Renderings(state, () => brush.toPng());
const tools = new Tools(
  state,
  { stage, viewport, boxes, points, people, brush },
  { undo: () => takeStep(steps.undo()), redo: () => takeStep(steps.redo()), onUse: showTool },
);
const settings = new SettingsForm(byId("tune", HTMLFormElement), {
  background: (form, onPick) => new Swatches(form, (color) => pickColor(color, onPick)),
  onChange: changed,
});
const finishStage = new FinishStage(state, {
  options,
  render: (recipe) => stage.busyDuring(renderings.renderLayer(options(), recipe)),
  onMove: showControls,
  onStep: record,
  onBehind: showBackground,
  onError: noteError,
});
const finishControls = new FinishControls(state, {
  onChange: showFinish,
  onStep: record,
  onBackground: () => tools.use("finish"),
  onMoves: (moves) => (finishStage.moves = moves),
  during: (work) => complaining(stage.busyDuring(work)),
});
const runs = new Runs(
  state,
  {
    options,
    note: (...values) => stage.note(...values),
    onResult: showResult,
    onRun: showRun,
    onDraft: showDraft,
  },
  { fineRoles: readJson("fine-roles"), waitSeconds: Number(stage.element.dataset.waitSeconds) },
);
const versions = new Versions(state, readJson("entry"), readJson("versions"), {
  options: () => settings.fields,
  onOpen: openVersion,
});
const files = new Files(state, {
  options,
  fields: () => settings.fields,
  renderings,
});
const dragOut = new DragOut([byId("pane"), byId("finish-canvas")], {
  get: () => stage.busyDuring(files.result()),
  nameOf: (blob) => files.nameOf(blob),
  onReady: (isReady) => stage.show(byId("hint-view"), isReady),
  onError: noteError,
});
const idPhoto = new IdPhoto({ render: (recipe) => files.finishedAs(recipe), name: () => shownImage(state).name });
const recipeDialog = new RecipeDialog({ files, name: () => shownImage(state).name });

/**
 * Record a change, so that it can be undone, and store it.
 * @param {string} [key] identifies changes that belong together
 */
function record(key) {
  steps.record(key);
  versions.keepSoon();
}

/** Record a change that needs no model, and render it. */
function changed() {
  record();
  void render();
}

/**
 * Put a colour behind the subject, instead of any other background.
 * @param {string} color
 * @param {(color: string) => void} onPick
 */
function pickColor(color, onPick) {
  state.finish = { ...state.finish, background: null };
  showControls();
  onPick(color);
}

/** Show the finish on the stage and in its controls. */
function showFinish() {
  showControls();
  showTool(state.tool);
}

function showControls() {
  finishControls.show();
  settings.background.replace(state.finish.background !== null);
  settings.showNumbers();
}

/**
 * Show the finished picture if the current tool needs it: the result alone, or its finish.
 * @param {import("./editor/state.js").Tool} tool
 */
function showTool(tool) {
  const isResult = tool === "view" && isFinished(state.finish);
  const isCanvas = tool === "finish" || isResult;
  finishStage.show(isCanvas, tool === "finish");
  for (const part of ["zoom-out", "zoom-fit", "zoom-in"]) byId(part, HTMLButtonElement).disabled = isCanvas;
  showBackground();
  dragOut.offer(tool === "view" && shownImage(state).status === "succeeded" ? files.key : "");
}

/** @param {unknown} error null when the error is over */
function noteError(error) {
  if (error !== null) stage.note(error instanceof Error ? error.message : String(error), { isError: true });
  else if (state.run.wish === null) stage.note("");
}

/**
 * Show the step of Undo or Redo; run the model if its run had not ended yet.
 * @param {import("./editor/state.js").Step | null} wanted
 */
function takeStep(wanted) {
  if (!wanted) return;
  restore(state, wanted);
  settings.show(wanted.options);
  boxes.set(wanted.boxes);
  points.set(wanted.points);
  steps.show();
  versions.show();
  versions.keepSoon();
  showControls();
  showCurrent();
  if (!isShownEnded(state)) void runs.open();
  else if (state.tool === "points") runs.runPoints();
  else if (state.boxes.length || boxesOf(state.job).length) runs.runBoxes();
}

/** @returns {Partial<Options>} the panel's options for the shown picture */
function options() {
  return optionsToRender(settings.fields, settings.base);
}

function showView() {
  byId("zoom-value", HTMLOutputElement).value = `${Math.round(viewport.scale * 100)} %`;
  stage.placeBackdrop(viewport);
  compare.place();
  tools.draw();
}

/**
 * Show the job in the state.
 * @param {import("./editor/state.js").Snapshot} [before] the previous result, when the page returns to it
 */
function showResult(before) {
  if (before) {
    settings.show(before.options);
    state.strokes = [...before.strokes];
    boxes.set(boxesOf(before.job));
    points.set(pointsOf(before.job));
  }
  showCurrent();
  if (before) record();
  else steps.recordResult();
}

/** List the version that a run has made, and store that it is shown. */
async function showRun() {
  await complaining(versions.refresh((version) => version.job === state.job.id && !version.is_saved_by_hand));
  steps.recordResult();
  versions.keepSoon();
}

/**
 * Show another version of the picture, which can be undone.
 * @param {import("./editor/versions.js").Version & { result: import("./api/job.js").Job, edit: import("./editor/state.js").Edit }} version
 */
function openVersion({ number, result, edit: saved }) {
  startRun(state, null);
  setJob(state, result);
  state.version = number;
  takeEdit(state, saved);
  settings.base = result.options;
  settings.show({ ...result.options, ...saved.options });
  showControls();
  boxes.set(boxesOf(result));
  points.set(pointsOf(result));
  showCurrent();
  record();
}

function showCurrent() {
  renderings.stop();
  showOriginal();
  stage.show(byId("back"), state.earlier.length > 0);
  stage.markEmpty();
  const image = shownImage(state);
  if (image.status !== "succeeded") {
    if (isShownEnded(state)) stage.note(complaintOf(image), { isError: true });
    return;
  }
  const [width, height] = [image.width ?? 1, image.height ?? 1];
  if (width !== viewport.size[0] || height !== viewport.size[1]) viewport.setPicture(width, height);
  if (!state.boxes.length) boxes.set(boxesOf(state.job));
  if (!state.points.length) points.set(pointsOf(state.job));
  brush.setPicture(width, height);
  listBoxes();
  people.show();
  tools.showPeoplePart();
  showTool(state.tool);
  if (isStoredCutoutShown(state, options())) {
    stage.note("");
    stage.showResult(linkTo(image, "cutout"));
  } else {
    stage.note(gettext("Cutting out…"));
    void render();
  }
}

/** Show the original, also before there is a result. */
function showOriginal() {
  stage.showOriginal();
  const { width, height } = shownImage(state);
  if (!width || !height || viewport.size[0] > 1) return;
  viewport.setPicture(width, height);
  brush.setPicture(width, height);
}

function listBoxes() {
  fillBoxList(byId("box-list"), state.boxes, (index) => boxes.remove(index));
}

/** @param {Blob} draft */
function showDraft(draft) {
  stage.showDraft(URL.createObjectURL(draft));
  showBackground();
}

/** Render the shown picture for the stage, without the model. */
async function render() {
  if (shownImage(state).status !== "succeeded") return;
  showTool(state.tool);
  try {
    const blob = await stage.busyDuring(renderings.renderStage(options()));
    if (!blob) return;
    stage.showResult(URL.createObjectURL(blob));
    if (state.run.wish === null) stage.note("");
  } catch (error) {
    noteError(error);
  }
}

function showBackground() {
  stage.showBehind(state.finish.background ? finishStage.behindPhoto() : (options().background ?? ""));
  stage.showCrop(cropFrame(shownImage(state).foreground, options(), viewport.size));
}

/**
 * Show why an action failed.
 * @param {Promise<unknown>} action
 */
async function complaining(action) {
  try {
    await action;
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
  }
}

function wireFiles() {
  byId("download").addEventListener("click", () => complaining(stage.busyDuring(files.download())));
  for (const button of findAll(document, "[data-download]")) {
    button.addEventListener("click", () => complaining(files.download(button.dataset.download)));
  }
  byId("copy").addEventListener("click", () => complaining(files.copy()));
  byId("share").addEventListener("click", () => complaining(files.share()));
  for (const button of findAll(document, "[data-save-version]")) {
    button.addEventListener("click", () => complaining(saveVersion()));
  }
  byId("recipe").addEventListener("click", () => recipeDialog.open());
  byId("id-photo").addEventListener("click", () => idPhoto.open());
}

async function saveVersion() {
  const saved = await stage.busyDuring(files.save());
  await versions.refresh(({ number }) => number === saved.number);
  steps.recordResult();
}

function wireRuns() {
  byId("back").addEventListener("click", () => runs.back());
  byId("find-people").addEventListener("click", () => {
    void runs.again({ method: "instances", outputs: [...PEOPLE_OUTPUTS] });
  });
  byId("cancel-form").addEventListener("submit", (event) => {
    event.preventDefault(); // waits for the end of the job
    void complaining(runs.cancel());
  });
  confirmSubmits();
  for (const button of findAll(byId("stage-empty"), "[data-next]")) {
    button.addEventListener("click", () => {
      const { next } = button.dataset;
      if (next === "fine") void runs.again({ method: "auto", quality: "fine" });
      else tools.use(next === "points" ? "points" : "boxes");
      stage.show(byId("stage-empty"), false);
    });
  }
  byId("tune").addEventListener("submit", (event) => event.preventDefault());
}

wireFiles();
wireRuns();
settings.base = state.job.options;
settings.show({ ...state.job.options, ...edit.edit.options }); // only once: later changes of the form are the visitor's
showControls();
showOriginal();
stage.markEmpty();
const steps = new Steps(state, () => settings.fields);
void runs.open();
