// The editor's state: one object that every part of the page reads, and the only place where it changes shape. What the
// settings form holds is read from the form (settings/form.js), and the zoom from the viewport.
import { boxesOf, hasEnded, imageIn, linkTo, peopleIn } from "../api/job.js";
import { haveSameOutline, isWholeAndTransparent } from "../settings/options.js";

/** @typedef {import("../api/job.js").Box} Box */
/** @typedef {import("../api/job.js").Job} Job */
/** @typedef {import("../api/job.js").JobImage} JobImage */
/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("./brush.js").Stroke} Stroke */
/** @typedef {"result" | "side" | "boxes" | "people" | "brush"} Tool */

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
 * @property {string} path the page's path at that time
 * @property {Partial<Options>} options of the settings form
 * @property {number[]} dropped
 * @property {Stroke[]} strokes
 */

/**
 * @typedef {object} EditorState
 * @property {Job} job the job that is shown, as the API wrote it
 * @property {string} imageId which of its pictures is shown
 * @property {string} source the link to the original
 * @property {Tool} tool
 * @property {Box[]} boxes
 * @property {Box[][]} boxHistory what Undo goes back to, newest last
 * @property {number} selectedBox an index, -1 for none
 * @property {Set<number>} dropped the ids of the people not to keep
 * @property {Stroke[]} strokes
 * @property {{ mode: import("./brush.js").BrushMode, sizePx: number }} brush
 * @property {Run} run
 * @property {Snapshot[]} earlier newest last
 */

/**
 * Return the state of a page that has just been opened.
 * @param {Job} job
 * @param {string} imageId
 * @returns {EditorState}
 */
export function createState(job, imageId) {
  return {
    job,
    imageId,
    source: linkTo(imageIn(job, imageId), "source"),
    tool: "result",
    boxes: [],
    boxHistory: [],
    selectedBox: -1,
    dropped: new Set(),
    strokes: [],
    brush: { mode: "erase", sizePx: 40 },
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
  state.job = job;
  state.imageId = image.id;
  state.source = linkTo(image, "source") || state.source;
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
 * @param {string} path
 * @param {Partial<Options>} options
 */
export function remember(state, path, options) {
  if (shownImage(state).status !== "succeeded") return;
  const { job, imageId, source, dropped, strokes } = state;
  state.earlier.push({ job, imageId, source, path, options, dropped: [...dropped], strokes: [...strokes] });
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
  const { job, imageId, source } = before;
  Object.assign(state, { job, imageId, source, dropped: new Set(before.dropped) });
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
