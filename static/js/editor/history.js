// Undo and redo for everything in the editor: a list of states and the current position. The caller defines the states.

const MAX_ENTRIES = 100;

/** @template T */
export class History {
  /** @param {T} first the state to begin with */
  constructor(first) {
    this.entries = [first];
    this.at = 0;
    this.mergeKey = "";
  }

  /** @returns {T} */
  get current() {
    return this.entries[this.at];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.entries.length - 1;
  }

  /**
   * Add a state after the current one and remove undone states. A state with the same merge key as the previous one
   * replaces it, so that all steps of one slider are undone together.
   * @param {T} entry
   * @param {string} [mergeKey]
   */
  record(entry, mergeKey = "") {
    const replaces = mergeKey !== "" && mergeKey === this.mergeKey && !this.canRedo;
    this.mergeKey = mergeKey;
    if (replaces) {
      this.entries[this.at] = entry;
      return;
    }
    this.entries.splice(this.at + 1, this.entries.length, entry);
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
    this.at = this.entries.length - 1;
  }

  /**
   * Replace the current state when it has changed, for example by the result of a run.
   * @param {T} entry
   */
  amend(entry) {
    this.entries[this.at] = entry;
  }

  /**
   * Replace every state by what a function returns for it.
   * @param {(entry: T) => T} change
   */
  amendAll(change) {
    this.entries = this.entries.map(change);
  }

  /** @returns {T | null} the previous state; null when there is none */
  undo() {
    if (!this.canUndo) return null;
    this.mergeKey = "";
    this.at -= 1;
    return this.current;
  }

  /** @returns {T | null} the next state; null when there is none */
  redo() {
    if (!this.canRedo) return null;
    this.mergeKey = "";
    this.at += 1;
    return this.current;
  }
}
