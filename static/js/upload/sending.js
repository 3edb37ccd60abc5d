// Upload the chosen files, a few at a time. When the connection or the server fails, all files wait, and uploading
// continues after a pause that grows.
import { ApiError, upload } from "../api/request.js";
import { MAX_TRIES, afterError, nextPause } from "./retrying.js";

/** @typedef {import("./items.js").Item} Item */

const PARALLEL = 3;

export class Sending {
  /**
   * @param {string} url
   * @param {Set<Item>} items
   * @param {object} calls
   * @param {(item: Item, share?: number) => void} calls.onItem called when an item changes; gets a share during uploads
   * @param {(seconds: number, error?: ApiError) => void} calls.onPause called with 0 when a pause ends
   * @param {typeof upload} [calls.send]
   */
  constructor(url, items, { onItem, onPause, send = upload }) {
    this.url = url;
    this.items = items;
    this.onItem = onItem;
    this.onPause = onPause;
    this.send = send;
    this.underWay = 0;
    this.pauseSeconds = 0;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
  }

  /** @returns {boolean} */
  get isPaused() {
    return this.timer !== null;
  }

  /** Upload waiting files, as many at the same time as allowed. */
  next() {
    for (const item of this.items) {
      if (this.isPaused || this.underWay >= PARALLEL) return;
      if (item.state === "waiting") void this.#send(item);
    }
  }

  /**
   * End a pause; with `failed` also retry failed files.
   * @param {{ failed?: boolean }} [options]
   */
  goOn({ failed = false } = {}) {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.onPause(0);
    for (const item of this.items) {
      if (failed && item.state === "failed") this.#change(item, { state: "waiting", tries: 0 });
    }
    this.next();
  }

  /** @param {Item} item */
  async #send(item) {
    this.underWay += 1;
    this.#change(item, { state: "sending", tries: item.tries + 1 });
    const body = new FormData();
    body.append("image", item.file);
    if (item.folder) body.append("folder", item.folder);
    /** @type {Partial<Item>} */
    let news;
    try {
      const answer = await this.send(this.url, body, (share) => this.onItem(item, share));
      news = { id: answer.id, state: "ready" };
      this.pauseSeconds = 0;
    } catch (error) {
      news = this.#afterError(item, error instanceof ApiError ? error : new ApiError(String(error)));
    }
    this.underWay -= 1;
    this.#change(item, news);
    this.next();
  }

  /**
   * @param {Item} item
   * @param {ApiError} error
   * @returns {Partial<Item>} the changed values of the item
   */
  #afterError(item, error) {
    const verdict = afterError(error);
    if (verdict === "refuse") return { state: "refused", error: error.message };
    if (verdict === "pause") {
      this.#pause(error);
      return item.tries < MAX_TRIES ? { state: "waiting" } : { state: "failed", error: error.message };
    }
    for (const other of this.items) {
      if (other.state === "waiting") this.#change(other, { state: "failed", error: error.message });
    }
    return { state: "failed", error: error.message };
  }

  /** @param {ApiError} error */
  #pause(error) {
    if (this.isPaused) return;
    this.pauseSeconds = nextPause(this.pauseSeconds, error.retryAfterSeconds);
    this.timer = setTimeout(() => this.goOn(), this.pauseSeconds * 1000);
    this.onPause(this.pauseSeconds, error);
  }

  /**
   * @param {Item} item
   * @param {Partial<Item>} news
   */
  #change(item, news) {
    Object.assign(item, news);
    this.onItem(item);
  }
}
