// One request at a time for the current wish. During a drag, wishes come faster than responses: the newest wish is
// requested when the previous response has arrived, so the display follows without a queue.

/**
 * @template W a wish
 * @template V the value for a wish
 */
export class Following {
  /**
   * @param {object} calls
   * @param {(wish: W) => Promise<V>} calls.get
   * @param {(value: V, wish: W) => void | Promise<void>} calls.show
   * @param {(error: unknown) => void} calls.onError called for a failed wish; the next equal one is sent again
   */
  constructor({ get, show, onError }) {
    this.get = get;
    this.show = show;
    this.onError = onError;
    this.key = "";
    /** @type {W | null} */
    this.wish = null;
    this.isUnderWay = false;
  }

  /**
   * Request a new wish, unless it is the same as the current one.
   * @param {string} key is different for different wishes
   * @param {W} wish
   */
  want(key, wish) {
    if (key === this.key) return;
    this.key = key;
    this.wish = wish;
    void this.#follow();
  }

  /** Request the next wish even if it is the same. */
  forget() {
    this.key = "";
    this.wish = null;
  }

  async #follow() {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    while (this.wish !== null) {
      const wish = this.wish;
      this.wish = null;
      try {
        const value = await this.get(wish);
        await this.show(value, wish);
      } catch (error) {
        if (this.wish !== null) continue;
        this.key = ""; // so that the same wish is sent again
        this.onError(error);
      }
    }
    this.isUnderWay = false;
  }
}
