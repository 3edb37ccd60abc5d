// Sends chosen files ahead, a few at a time. When the connection or the server gives out, all files wait, and the sending
// goes on by itself, later and later.
import { upload } from "./api.js";

const PARALLEL = 3;
const MOST_TRIES = 5; // of one file
const FIRST_REST_SECONDS = 2;
const LONGEST_REST_SECONDS = 60; // who is told to wait longer decides themselves when to go on

const willPass = (error) => error.status === 0 || error.status === 429 || error.status >= 500;
const isFinal = (error) => error.status >= 400 && error.status < 429 && ![401, 403, 408].includes(error.status);

export class Sending {
  // `items` is a Set of {file, state, id, error}; states: waiting, sending, ready, failed (may be tried again), refused.
  constructor(url, items, { onItem, onRest }) {
    Object.assign(this, { url, items, onItem, onRest, underWay: 0, restSeconds: 0, timer: null });
    window.addEventListener("online", () => this.goOn());
  }

  next() {
    for (const item of this.items) {
      if (this.timer || this.underWay >= PARALLEL) return;
      if (item.state === "waiting") this.send(item);
    }
  }

  // Ends a rest, and tries again what failed.
  goOn({ failed = false } = {}) {
    clearTimeout(this.timer);
    this.timer = null;
    this.onRest(0);
    if (failed) for (const item of this.items) if (item.state === "failed") this.change(item, { state: "waiting", tries: 0 });
    this.next();
  }

  async send(item) {
    this.underWay += 1;
    this.change(item, { state: "sending", tries: (item.tries ?? 0) + 1 });
    const body = new FormData();
    body.append("image", item.file);
    let news;
    try {
      news = { id: (await upload(this.url, body, (share) => this.onItem(item, share))).id, state: "ready" };
      this.restSeconds = 0;
    } catch (error) {
      news = this.afterError(item, error);
    }
    this.underWay -= 1;
    this.change(item, news);
    this.next();
  }

  afterError(item, error) {
    if (isFinal(error)) return { state: "refused", error };
    if (!willPass(error) || error.retryAfterSeconds > LONGEST_REST_SECONDS) { // nothing behind it would fare better now
      for (const other of this.items) if (other.state === "waiting") this.change(other, { state: "failed", error });
      return { state: "failed", error };
    }
    this.rest(error);
    return item.tries < MOST_TRIES ? { state: "waiting" } : { state: "failed", error };
  }

  rest(error) {
    if (this.timer) return;
    this.restSeconds = Math.max(error.retryAfterSeconds, Math.min(this.restSeconds * 2 || FIRST_REST_SECONDS, LONGEST_REST_SECONDS));
    this.timer = setTimeout(() => this.goOn(), this.restSeconds * 1000);
    this.onRest(this.restSeconds, error);
  }

  change(item, news) {
    Object.assign(item, news);
    this.onItem(item);
  }
}
