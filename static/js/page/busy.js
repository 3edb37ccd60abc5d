// A mark for operations in progress, shown if they take noticeably long.

export const BUSY_AFTER_MS = 200;

export class Busy {
  /** @param {HTMLElement} mark */
  constructor(mark) {
    this.mark = mark;
    this.works = 0; // the number of operations in progress
  }

  /**
   * Show the mark until an operation ends.
   * @template T
   * @param {Promise<T>} work
   * @returns {Promise<T>} the operation's value or error
   */
  async during(work) {
    this.works += 1;
    const timer = setTimeout(() => (this.mark.hidden = false), BUSY_AFTER_MS);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
      this.works -= 1;
      if (this.works === 0) this.mark.hidden = true;
    }
  }
}
