// One request at a time for what is wanted now. While something is dragged, the wishes come faster than the answers: the
// newest one is asked for when the answer before has come, so what is shown follows without a queue.

/**
 * @template W a wish
 * @template V what is got for it
 */
export class Following {
  /**
   * @param {object} calls
   * @param {(wish: W) => Promise<V>} calls.get
   * @param {(value: V, wish: W) => void | Promise<void>} calls.show
   * @param {(error: unknown) => void} calls.onError called for a wish that failed; it is not asked for again by itself
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
   * Get what is wanted from now on, unless it is the same as before.
   * @param {string} key tells wishes apart
   * @param {W} wish
   */
  want(key, wish) {
    if (key === this.key) return;
    this.key = key;
    this.wish = wish;
    void this.#follow();
  }

  /** Ask again at the next wish, even if it is the same. */
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
        if (this.wish === null) this.onError(error);
      }
    }
    this.isUnderWay = false;
  }
}
