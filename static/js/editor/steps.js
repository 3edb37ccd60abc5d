// The steps of the editor: each change of the user is one step, which Undo and Redo show again.
import { byId } from "../page/elements.js";
import { History } from "./history.js";
import { changedOptions, isStepEnded, stepOf, withResult } from "./state.js";

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("./state.js").Step} Step */

export class Steps {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {() => Partial<Options>} options returns the values of the settings form
   */
  constructor(state, options) {
    this.state = state;
    this.options = options;
    this.history = new History(stepOf(state, options()));
    this.show();
  }

  /**
   * Record a change, so that it can be undone. The steps of one slider are one change.
   * @param {string} [key] identifies steps that belong together; by default the moved slider
   */
  record(key = "") {
    const now = stepOf(this.state, this.options());
    const names = changedOptions(this.history.current.options, now.options);
    const isSlider = names.length === 1 && typeof now.options[/** @type {keyof Options} */ (names[0])] === "number";
    this.history.record(now, key || (isSlider ? names[0] : ""));
    this.show();
  }

  /** Put the shown result into the current step, and into the steps that were made before the first result. */
  recordResult() {
    this.history.amend(withResult(this.history.current, this.state));
    this.history.amendAll((step) => (isStepEnded(step) ? step : withResult(step, this.state)));
  }

  /** @returns {Step | null} the previous step; null when there is none */
  undo() {
    return this.history.undo();
  }

  /** @returns {Step | null} the next step; null when there is none */
  redo() {
    return this.history.redo();
  }

  /** Enable the buttons of Undo and Redo as far as there are steps. */
  show() {
    byId("undo", HTMLButtonElement).disabled = !this.history.canUndo;
    byId("redo", HTMLButtonElement).disabled = !this.history.canRedo;
  }
}
