// The editor's state: one object that every part of the page reads, and the functions that change it. The values of the
// settings form are read from the form (settings/form.js), and the zoom from the viewport.
import { boxesOf, hasEnded, imageIn, jobOf, linkTo, linkToOriginal, peopleIn, pointsOf } from "../api/job.js";
import { noFinish, storedFinish } from "./finish_recipe.js";
import { haveSameOutline, isWholeAndTransparent } from "../settings/options.js";

/** @typedef {import("../api/job.js").Box} Box */
/** @typedef {import("../api/job.js").Job} Job */
/** @typedef {import("../api/job.js").JobImage} JobImage */
/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("./brush.js").Stroke} Stroke */
/** @typedef {import("../api/job.js").Point} Point */
/** @typedef {import("./finish_recipe.js").Finish} Finish */
/** @typedef {import("./finish_recipe.js").StoredFinish} StoredFinish */
/**
 * The editor's state as the server stores it.
 * @typedef {{ options?: Partial<Options>, dropped?: number[], strokes?: Stroke[], finish?: StoredFinish }} Edit
 */
/** @typedef {"result" | "view" | "side" | "points" | "boxes" | "people" | "brush" | "finish"} Tool */

/**
 * @typedef {object} Run the awaited run of the model
 * @property {number} turn the number of the run; responses to earlier runs are ignored
 * @property {string | null} wish the requested options as JSON; null when no new run was requested
 * @property {Job | null} awaited the job whose end the page awaits
 */

/**
 * @typedef {object} Snapshot a result that was shown before a new run, to return to it
 * @property {Job} job
 * @property {string} imageId
 * @property {string} source
 * @property {number} version
 * @property {Partial<Options>} options of the settings form
 * @property {number[]} dropped
 * @property {Stroke[]} strokes
 */

/** @typedef {Snapshot & { boxes: Box[], points: Point[], finish: Finish }} Step a state that Undo restores */

/**
 * @typedef {object} EditorState
 * @property {Job} job the shown job, as the API returned it
 * @property {string} imageId the id of its shown picture
 * @property {string} source the link to the original
 * @property {number} version the number of the shown version of the picture
 * @property {Tool} tool
 * @property {Box[]} boxes
 * @property {Point[]} points the clicks, in their order
 * @property {boolean} startsAfresh whether the clicks alone select, instead of correcting the result
 * @property {number} selectedBox an index, -1 for none
 * @property {Set<number>} dropped the ids of the people to remove
 * @property {Stroke[]} strokes
 * @property {Finish} finish
 * @property {{ mode: import("./brush.js").BrushMode, sizePx: number, hardness: number }} brush
 * @property {Run} run
 * @property {Snapshot[]} earlier newest last
 */

/**
 * Return the state of a page that has just been opened.
 * @param {Job} job
 * @param {string} imageId
 * @param {number} [version]
 * @returns {EditorState}
 */
export function createState(job, imageId, version = 1) {
  return {
    job: jobOf(job, imageIn(job, imageId)),
    imageId,
    source: linkToOriginal(imageIn(job, imageId)),
    version,
    tool: "result",
    boxes: [],
    points: [],
    startsAfresh: false,
    selectedBox: -1,
    dropped: new Set(),
    strokes: [],
    finish: noFinish(),
    brush: { mode: "erase", sizePx: 40, hardness: 0.8 },
    run: { turn: 0, wish: null, awaited: null },
    earlier: [],
  };
}

/**
 * @param {EditorState} state
 * @returns {JobImage} the shown picture
 */
export function shownImage(state) {
  return imageIn(state.job, state.imageId);
}

/**
 * Show a job's picture from now on. If a new run has no original, the previous link stays.
 * @param {EditorState} state
 * @param {Job} job
 */
export function setJob(state, job) {
  const image = imageIn(job, state.imageId);
  state.job = jobOf(job, image);
  state.imageId = image.id;
  state.source = linkToOriginal(image) || state.source;
}

/**
 * Return the ids of the people to keep; null if all are kept or the job did not search for people.
 * @param {EditorState} state
 * @returns {number[] | null}
 */
export function keptPeople(state) {
  const people = peopleIn(state.job, shownImage(state));
  if (!people || state.dropped.size === 0) return null;
  return people.map(({ id }) => id).filter((id) => !state.dropped.has(id));
}

/**
 * Return whether the stage shows the stored cutout: the whole picture, transparent, with the outline of the settings,
 * and without edits.
 * @param {EditorState} state
 * @param {Partial<Options>} now the options of the settings form
 * @returns {boolean}
 */
export function isStoredCutoutShown(state, now) {
  const { options } = state.job;
  const isStored = linkTo(shownImage(state), "cutout") !== "";
  const isUntouched = state.strokes.length === 0 && keptPeople(state) === null;
  return isStored && isUntouched && isWholeAndTransparent(options) && haveSameOutline(options, now);
}

/**
 * Start a run of the model; earlier runs are no longer awaited.
 * @param {EditorState} state
 * @param {string | null} wish
 * @returns {number} its turn
 */
export function startRun({ run }, wish) {
  Object.assign(run, { turn: run.turn + 1, wish, awaited: null });
  return run.turn;
}

/**
 * Store the shown result, if there is one, to return to it later.
 * @param {EditorState} state
 * @param {Partial<Options>} options
 */
export function remember(state, options) {
  if (shownImage(state).status !== "succeeded") return;
  const { job, imageId, source, version, dropped, strokes } = state;
  state.earlier.push({ job, imageId, source, version, options, dropped: [...dropped], strokes: [...strokes] });
}

/**
 * Return everything that Undo restores.
 * @param {EditorState} state
 * @param {Partial<Options>} options of the settings form
 * @returns {Step}
 */
export function stepOf({ job, imageId, source, version, dropped, strokes, boxes, points, finish }, options) {
  const lists = { dropped: [...dropped], strokes: [...strokes], boxes: [...boxes], points: [...points] };
  return { job, imageId, source, version, options, finish, ...lists };
}

/**
 * Return whether a step has a result; steps that were made before the first result have none.
 * @param {Step} step
 * @returns {boolean}
 */
export function isStepEnded({ job, imageId }) {
  return hasEnded(imageIn(job, imageId));
}

/**
 * Return a step with the result that is shown now. A change that is still in progress, such as a drag, is left out: it
 * becomes a step of its own when it ends.
 * @param {Step} step
 * @param {EditorState} state
 * @returns {Step}
 */
export function withResult(step, { job, imageId, source, version, dropped }) {
  const boxes = step.boxes.length ? step.boxes : boxesOf(job);
  const points = step.points.length ? step.points : pointsOf(job);
  return { ...step, job, imageId, source, version, dropped: [...dropped], boxes, points };
}

/**
 * Restore a step. An awaited run is dropped.
 * @param {EditorState} state
 * @param {Step} step
 */
export function restore(state, step) {
  startRun(state, null);
  const { job, imageId, source, version, dropped, strokes, boxes, points, finish } = step;
  Object.assign(state, { job, imageId, source, version, strokes, boxes, points, finish, dropped: new Set(dropped) });
}

/**
 * Return the names of the options that differ.
 * @param {Record<string, any>} one
 * @param {Record<string, any>} other
 * @returns {string[]}
 */
export function changedOptions(one, other) {
  return Object.keys(other).filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]));
}

/**
 * Return to the previous result, including its boxes and people.
 * @param {EditorState} state
 * @returns {Snapshot | null} null when there is none
 */
export function goBack(state) {
  const before = state.earlier.pop();
  if (!before) return null;
  startRun(state, null);
  const { job, imageId, source, version } = before;
  Object.assign(state, { job, imageId, source, version, dropped: new Set(before.dropped) });
  return before;
}

/**
 * Return the options of a run for the boxes; null if the shown job has the same boxes.
 * @param {EditorState} state
 * @returns {Partial<Options> | null}
 */
export function boxesWish({ boxes, job }) {
  if (JSON.stringify(boxes) === JSON.stringify(boxesOf(job))) return null;
  return boxes.length ? { method: "boxes", boxes } : { method: "auto" };
}

/**
 * Return the options of a run for the clicks; null if the shown job has the same clicks. They correct the job's result;
 * with `startsAfresh` they alone select.
 * @param {EditorState} state
 * @returns {Partial<Options> | null}
 */
export function pointsWish({ points, startsAfresh, job }) {
  if (JSON.stringify(points) === JSON.stringify(pointsOf(job))) return null;
  const boxes = boxesOf(job);
  if (boxes.length) return { method: "boxes", boxes, points };
  const selects = startsAfresh || job.options.method === "points";
  return { method: selects && points.some(([, , keep]) => keep) ? "points" : "auto", points };
}

/**
 * Return whether the page may retry its failed picture; pictures of a batch are retried on the batch's page.
 * @param {EditorState} state
 * @returns {boolean}
 */
export function mayRetry(state) {
  return state.job.images_total === 1 && shownImage(state).status === "failed";
}

/**
 * Return whether the page may cancel the awaited job; a whole batch cannot be cancelled here.
 * @param {EditorState} state
 * @returns {boolean}
 */
export function mayCancel({ run: { awaited } }) {
  return awaited?.images_total === 1;
}

/**
 * Return whether the shown picture has reached its last status.
 * @param {EditorState} state
 * @returns {boolean}
 */
export function isShownEnded(state) {
  return hasEnded(shownImage(state));
}

/**
 * Return the editor's state as the server stores it.
 * @param {EditorState} state
 * @param {Partial<Options>} options of the settings form
 * @returns {Edit}
 */
export function editOf({ dropped, strokes, finish }, options) {
  const stored = storedFinish(finish);
  return { options, dropped: [...dropped], strokes: strokes.map(rounded), ...(stored ? { finish: stored } : {}) };
}

/**
 * @param {Stroke} stroke
 * @returns {Stroke} the stroke rounded to a tenth of a pixel, which takes a third of the bytes
 */
function rounded(stroke) {
  const tenth = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  const points = stroke.points.map(([x, y]) => /** @type {[number, number]} */ ([tenth(x), tenth(y)]));
  return { ...stroke, width: tenth(stroke.width), blur: tenth(stroke.blur), points };
}

/**
 * Show an edit that the server has stored.
 * @param {EditorState} state
 * @param {Edit} edit
 */
export function takeEdit(state, { dropped = [], strokes = [], finish = {} }) {
  state.dropped = new Set(dropped);
  state.strokes = strokes;
  state.finish = { ...noFinish(), ...finish };
}
