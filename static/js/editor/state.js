// The editor's state: one object that every part of the page reads, and the only place where it changes shape. What the
// settings form holds is read from the form (settings/form.js), and the zoom from the viewport.
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
 * What is kept on the server.
 * @typedef {{ options?: Partial<Options>, dropped?: number[], strokes?: Stroke[], finish?: StoredFinish }} Edit
 */
/** @typedef {"result" | "view" | "side" | "points" | "boxes" | "people" | "brush" | "finish"} Tool */

/**
 * @typedef {object} Run the run of the model that the page waits for
 * @property {number} turn counts the runs: an answer to an earlier one comes too late
 * @property {string | null} wish the options that it runs for, as JSON; null when no new run was asked for
 * @property {Job | null} awaited the job whose end is waited for
 */

/**
 * @typedef {object} Snapshot a result that was shown before a new run, for the way back
 * @property {Job} job
 * @property {string} imageId
 * @property {string} source
 * @property {number} version
 * @property {Partial<Options>} options of the settings form
 * @property {number[]} dropped
 * @property {Stroke[]} strokes
 */

/** @typedef {Snapshot & { boxes: Box[], points: Point[], finish: Finish }} Step what Undo goes back to */

/**
 * @typedef {object} EditorState
 * @property {Job} job the job that is shown, as the API wrote it
 * @property {string} imageId which of its pictures is shown
 * @property {string} source the link to the original
 * @property {number} version the number of the picture's version that is shown
 * @property {Tool} tool
 * @property {Box[]} boxes
 * @property {Point[]} points the clicks, in their order
 * @property {boolean} startsAfresh whether the clicks alone select, instead of correcting what was found
 * @property {number} selectedBox an index, -1 for none
 * @property {Set<number>} dropped the ids of the people not to keep
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
 * @returns {JobImage} the picture that is shown
 */
export function shownImage(state) {
  return imageIn(state.job, state.imageId);
}

/**
 * Show a job's picture from now on. A new run may have no original of its own; the link to the one before stays.
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
 * Return the people to keep; null while all are kept or none were looked for.
 * @param {EditorState} state
 * @returns {number[] | null}
 */
export function keptPeople(state) {
  const people = peopleIn(state.job, shownImage(state));
  if (!people || state.dropped.size === 0) return null;
  return people.map(({ id }) => id).filter((id) => !state.dropped.has(id));
}

/**
 * Return whether the stored cutout is what the stage shows: the whole picture, transparent, with the outline that the
 * settings give, and untouched.
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
 * Start a run of the model; earlier ones are no longer waited for.
 * @param {EditorState} state
 * @param {string | null} wish
 * @returns {number} its turn
 */
export function startRun({ run }, wish) {
  Object.assign(run, { turn: run.turn + 1, wish, awaited: null });
  return run.turn;
}

/**
 * Keep what is shown for the way back, where there is a result.
 * @param {EditorState} state
 * @param {Partial<Options>} options
 */
export function remember(state, options) {
  if (shownImage(state).status !== "succeeded") return;
  const { job, imageId, source, version, dropped, strokes } = state;
  state.earlier.push({ job, imageId, source, version, options, dropped: [...dropped], strokes: [...strokes] });
}

/**
 * Return all that Undo brings back.
 * @param {EditorState} state
 * @param {Partial<Options>} options of the settings form
 * @returns {Step}
 */
export function stepOf({ job, imageId, source, version, dropped, strokes, boxes, points, finish }, options) {
  const lists = { dropped: [...dropped], strokes: [...strokes], boxes: [...boxes], points: [...points] };
  return { job, imageId, source, version, options, finish, ...lists };
}

/**
 * Bring a step back. A run that is waited for is dropped.
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
 * Go back to the result before, its boxes and people included.
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
 * Return what the boxes ask of the model: a job that differs from the one shown, or null when they are its own.
 * @param {EditorState} state
 * @returns {Partial<Options> | null}
 */
export function boxesWish({ boxes, job }) {
  if (JSON.stringify(boxes) === JSON.stringify(boxesOf(job))) return null;
  return boxes.length ? { method: "boxes", boxes } : { method: "auto" };
}

/**
 * Return what the clicks ask of the model, or null when they are those of the shown job. They correct what the job found;
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
 * Return whether the page may try its failed picture again: a picture of a batch is tried again on the batch's page.
 * @param {EditorState} state
 * @returns {boolean}
 */
export function mayRetry(state) {
  return state.job.images_total === 1 && shownImage(state).status === "failed";
}

/**
 * Return whether the page waits for a job that it may cancel: never for a whole batch.
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
 * Return what the server keeps of the editor.
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
 * @returns {Stroke} the same with a tenth of a pixel, which takes a third of the bytes
 */
function rounded(stroke) {
  const tenth = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  const points = stroke.points.map(([x, y]) => /** @type {[number, number]} */ ([tenth(x), tenth(y)]));
  return { ...stroke, width: tenth(stroke.width), blur: tenth(stroke.blur), points };
}

/**
 * Show an edit that the server has kept.
 * @param {EditorState} state
 * @param {Edit} edit
 */
export function takeEdit(state, { dropped = [], strokes = [], finish = {} }) {
  state.dropped = new Set(dropped);
  state.strokes = strokes;
  state.finish = { ...noFinish(), ...finish };
}
