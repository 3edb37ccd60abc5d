// Runs of the model: wait for the run of the opened page, request new runs, and return to the previous result.
// The shown result stays until a new one arrives.
import { hasEnded, imageIn, jobUrl } from "../api/job.js";
import { callJson } from "../api/request.js";
import { gettext } from "../page/texts.js";
import { toast } from "../page/toast.js";
import { qualityFor } from "../settings/quality.js";
import { getDraft } from "./draft.js";
import { boxesWish, goBack, isShownEnded, pointsWish, remember, setJob, shownImage, startRun } from "./state.js";
import { waitForEnd } from "./waiting.js";

/** @typedef {import("../api/job.js").Job} Job */
/** @typedef {import("../api/job.js").JobImage} JobImage */
/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("./state.js").Snapshot} Snapshot */

const FIRST_WAIT_SECONDS = 2; // short: after that, a longer run is known and can be cancelled

/**
 * @typedef {object} RunCalls
 * @property {() => Partial<Options>} options the options of the settings form
 * @property {(text: string, options?: { isError?: boolean }) => void} note
 * @property {(before?: Snapshot) => void} onResult called when another result must be shown; with the snapshot when
 *   it is the previous one
 * @property {() => void} onRun called when a new run has ended with a result
 * @property {(draft: Blob) => void} onDraft called with the draft of the awaited result, before the result
 */

export class Runs {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {RunCalls} calls
   * @param {{ fineRoles: string[], waitSeconds: number }} site the roles that have a fine model, and the longest wait
   *   of one request
   */
  constructor(state, { options, note, onResult, onRun, onDraft }, { fineRoles, waitSeconds }) {
    this.state = state;
    this.fineRoles = fineRoles;
    this.waitSeconds = waitSeconds;
    this.isDraftShown = false;
    this.options = options;
    this.note = note;
    this.onResult = onResult;
    this.onRun = onRun;
    this.onDraft = onDraft;
  }

  /** Wait for the job in the state, and show its draft and then its result. */
  async open() {
    const drafting = new AbortController();
    this.isDraftShown = false;
    void this.#showDraft(this.state.job, drafting.signal);
    const job = await this.#end(this.state.job);
    drafting.abort();
    if (!job) return;
    setJob(this.state, job);
    this.onResult();
  }

  /**
   * Run the model on the shown picture with the settings form's options, changed by these options.
   * @param {Partial<Options>} wished
   */
  async again(wished) {
    const { state } = this;
    const options = { ...this.options(), ...this.#quality(wished.method ?? "auto"), ...wished };
    const wish = JSON.stringify(options);
    if (wish === state.run.wish) return;
    const turn = startRun(state, wish);
    this.note(gettext("Cutting out…"));
    try {
      const { position } = shownImage(state);
      const url = `${jobUrl(state.job, "again")}?wait=${Math.min(FIRST_WAIT_SECONDS, this.waitSeconds)}`;
      const answer = await callJson("POST", url, { json: { ...options, position } });
      if (turn !== state.run.turn) return;
      const job = await this.#end(answer);
      if (job) this.#take(job);
    } catch (error) {
      if (turn === state.run.turn) this.#giveUp(error instanceof Error ? error.message : String(error));
    } finally {
      if (turn === state.run.turn) state.run.wish = null;
    }
  }

  /**
   * Return the quality of the shown job as far as a run with this method may use it.
   * @param {Options["method"]} method
   * @returns {Partial<Options>}
   */
  #quality(method) {
    const { quality } = this.state.job.options;
    return quality ? { quality: qualityFor(quality, method, this.fineRoles) } : {};
  }

  /** Run the model for the boxes on the picture; if the shown job has the same boxes, drop a run for others. */
  runBoxes() {
    this.#runFor(boxesWish(this.state));
  }

  /** Run the model for the clicks on the picture, as `runBoxes` does for boxes. */
  runPoints() {
    this.#runFor(pointsWish(this.state));
  }

  /** @param {Partial<Options> | null} wish */
  #runFor(wish) {
    if (wish) {
      void this.again(wish);
    } else if (this.state.run.wish !== null) {
      startRun(this.state, null);
      void this.open();
    }
  }

  /** Show the result from before the last run again. */
  back() {
    const before = goBack(this.state);
    if (!before) return;
    this.onResult(before);
  }

  /**
   * Request the cancellation of the awaited job; waiting then detects its end.
   * @returns {Promise<void>}
   */
  async cancel() {
    const { awaited } = this.state.run;
    if (awaited) await callJson("POST", jobUrl(awaited, "cancel"));
  }

  /**
   * @param {Job} job
   * @returns {Promise<Job | null>} null if another run was requested meanwhile, or the server refuses
   */
  async #end(job) {
    const { state } = this;
    const { turn } = state.run;
    try {
      const ended = await waitForEnd(job, state.imageId, {
        waitSeconds: this.waitSeconds,
        isWanted: () => turn === state.run.turn,
        onWait: (awaited) => this.#showWaiting(awaited),
        onLost: () => this.note(gettext("The connection was lost. Trying again…"), { isError: true }),
      });
      if (ended) state.run.awaited = null;
      return ended;
    } catch (error) {
      state.run.awaited = null;
      this.note(error instanceof Error ? error.message : String(error), { isError: true });
      return null;
    }
  }

  /**
   * Show the draft of a job's result if it arrives before the result and no other run was requested meanwhile.
   * @param {Job} job
   * @param {AbortSignal} signal aborted at the end of the wait for the job
   */
  async #showDraft(job, signal) {
    const { turn } = this.state.run;
    const image = imageIn(job, this.state.imageId);
    const draft = hasEnded(image) ? null : await getDraft(job, image, { signal, waitSeconds: this.waitSeconds });
    if (!draft || signal.aborted || turn !== this.state.run.turn) return;
    this.isDraftShown = true;
    this.onDraft(draft);
    this.#showWaiting(job);
  }

  /** @param {Job} job */
  #showWaiting(job) {
    this.state.run.awaited = job;
    const isQueued = imageIn(job, this.state.imageId).status === "queued";
    if (this.isDraftShown) this.note(gettext("Finishing at full size…"));
    else this.note(isQueued ? gettext("Waiting for a worker…") : gettext("Cutting out…"));
  }

  /** @param {Job} job */
  #take(job) {
    const image = imageIn(job, this.state.imageId);
    if (image.status !== "succeeded") {
      this.#giveUp(complaintOf(image));
      return;
    }
    remember(this.state, this.options());
    setJob(this.state, job);
    this.state.dropped = new Set();
    this.onResult();
    this.onRun();
  }

  /** @param {string} message */
  #giveUp(message) {
    if (isShownEnded(this.state)) {
      this.note(message, { isError: true });
    } else {
      toast(message);
      void this.open(); // the previously awaited job
    }
  }
}

/**
 * Return why a picture has no result.
 * @param {JobImage} image
 * @returns {string}
 */
export function complaintOf(image) {
  if (image.status === "canceled") return gettext("This job was cancelled.");
  return image.error?.detail || gettext("This picture could not be cut out.");
}
