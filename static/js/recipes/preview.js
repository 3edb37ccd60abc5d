// The live preview: one request at a time, always for the newest wish.
import { ApiError, answered, call } from "../api/request.js";
import { byId } from "../page/elements.js";
import { gettext } from "../page/texts.js";

const DELAY_MS = 250;

/** @typedef {Record<string, any>} Wish the body of the preview's request */

export class Preview {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    this.image = byId("preview", HTMLImageElement);
    this.timer = 0;
    /** @type {AbortController | null} */
    this.underWay = null;
  }

  /** @param {Wish} wish shown shortly after the last call */
  show(wish) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.#load(wish), DELAY_MS);
  }

  /** @param {Wish} wish */
  async #load(wish) {
    this.underWay?.abort();
    const own = new AbortController();
    this.underWay = own;
    byId("preview-busy").hidden = false;
    try {
      const response = await call("POST", this.url, { json: wish, signal: own.signal });
      const blob = await answered(response.blob());
      if (own.signal.aborted) return;
      URL.revokeObjectURL(this.image.src);
      this.image.src = URL.createObjectURL(blob);
      const notes = decodeURIComponent(response.headers.get("Keyline-Notes-Translated") ?? "");
      this.#tell(notes.split("\n").filter(Boolean), false);
    } catch (error) {
      if (own.signal.aborted) return;
      this.#tell([error instanceof ApiError ? error.message : gettext("The connection was lost. Try again.")], true);
    }
    byId("preview-busy").hidden = true;
  }

  /**
   * @param {string[]} lines
   * @param {boolean} isError
   */
  #tell(lines, isError) {
    const notes = byId("preview-notes");
    notes.hidden = lines.length === 0;
    notes.classList.toggle("error", isError);
    notes.classList.toggle("warning", !isError);
    notes.textContent = lines.join("\n");
  }
}
