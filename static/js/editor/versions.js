// The versions of the picture: the first result, runs of the model, and edits saved by hand. The editor's state is
// stored on the server shortly after each change, and restored when the page is opened again.
import { callJson, csrfToken } from "../api/request.js";
import { byId, create } from "../page/elements.js";
import { fill, gettext, ngettext } from "../page/texts.js";
import { toast } from "../page/toast.js";
import { editOf } from "./state.js";

/** @typedef {import("../api/job.js").Job} Job */
/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("./state.js").Edit} Edit */

/**
 * @typedef {object} Version
 * @property {number} number from 1, the first result
 * @property {string} name
 * @property {boolean} is_shown
 * @property {boolean} is_saved_by_hand
 * @property {string} job the id of the job that it is made from
 * @property {string} method
 * @property {string} thumbnail a link, "" for none
 */

/** @typedef {{ free_corrections_left: number, versions: Version[] }} VersionList */
/** @typedef {{ job: string, position: number, image: string }} Entry the picture to which all versions belong */

const KEPT_AFTER_MS = 700;
const MOST_KEPT_ALIVE_BYTES = 60_000; // browsers refuse longer bodies of requests that outlive their page
const FIRST = 1;

export class Versions {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {Entry} entry
   * @param {VersionList} known
   * @param {object} calls
   * @param {() => Partial<Options>} calls.options the values of the settings form
   * @param {(version: Version & { result: Job, edit: Edit }) => void} calls.onOpen called with the version to show
   */
  constructor(state, entry, known, { options, onOpen }) {
    this.state = state;
    this.entry = entry;
    this.known = known;
    this.options = options;
    this.onOpen = onOpen;
    this.timer = 0;
    this.wish = 0; // the number of the last choice of a version; responses to earlier ones are ignored
    /** The newest state that has not been sent, as JSON; "" for none. */
    this.unsent = "";
    /** Ends when the last state has been stored; the next one is sent then. @type {Promise<unknown>} */
    this.keeping = Promise.resolve();
    byId("version-name", HTMLInputElement).addEventListener("change", () => this.#complaining(this.#rename()));
    byId("version-delete").addEventListener("click", () => this.#complaining(this.#delete()));
    window.addEventListener("pagehide", () => this.#keepNow({ isClosing: true }));
    this.show();
  }

  /** Show the list, with the version that the stage shows marked. */
  show() {
    const { versions, free_corrections_left: left } = this.known;
    byId("versions-part").hidden = versions.length < 2;
    byId("version-list").replaceChildren(...versions.map((version) => this.#row(version)));
    const shown = this.#shown;
    byId("version-edit").hidden = !shown || shown.number === FIRST;
    byId("version-name", HTMLInputElement).value = shown ? titleOf(shown) : "";
    for (const help of document.querySelectorAll("[data-run-cost]")) help.textContent = costOf(left);
  }

  /**
   * Request the list from the server, after a run or a saved edit.
   * @param {(version: Version) => boolean} isShown returns whether the stage shows this version now
   */
  async refresh(isShown) {
    this.known = await callJson("GET", this.#url("versions/"));
    this.state.version = this.known.versions.findLast(isShown)?.number ?? this.state.version;
    this.show();
  }

  /** Store the editor's state shortly after the last change. */
  keepSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#keepNow(), KEPT_AFTER_MS);
  }

  get #shown() {
    return this.known.versions.find(({ number }) => number === this.state.version);
  }

  /**
   * @param {string} path below the job
   * @returns {string}
   */
  #url(path) {
    return `/api/jobs/${this.entry.job}/${path}?position=${this.entry.position}`;
  }

  // States are sent one after the other, because an older one that arrives later would replace a newer one. A page that
  // is closing cannot wait. If this fails, only the last changes are lost.
  #keepNow({ isClosing = false } = {}) {
    if (this.timer) {
      const { version } = this.state;
      const edit = editOf(this.state, this.options());
      this.unsent = JSON.stringify({ position: this.entry.position, version, edit });
    }
    clearTimeout(this.timer);
    this.timer = 0;
    if (isClosing) void this.#send();
    else this.keeping = this.keeping.then(() => this.#send());
  }

  async #send() {
    const body = this.unsent;
    if (!body) return;
    this.unsent = "";
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    const keepalive = new Blob([body]).size < MOST_KEPT_ALIVE_BYTES;
    await fetch(`/api/jobs/${this.entry.job}/edit`, { method: "PUT", headers, body, keepalive }).catch(() => {});
  }

  /**
   * @param {Version} version
   * @returns {HTMLLIElement}
   */
  #row(version) {
    const isShown = version.number === this.state.version;
    const button = create("button", { type: "button", className: "version", title: titleOf(version) });
    button.setAttribute("aria-pressed", String(isShown));
    button.append(
      version.thumbnail
        ? create("img", { src: version.thumbnail, alt: "", className: "checkerboard" })
        : create("span", { className: "checkerboard" }),
      create("span", { className: "version-name", textContent: titleOf(version) }),
    );
    button.addEventListener("click", () => this.#complaining(this.#open(version)));
    return create("li", {}, button);
  }

  /**
   * Show a version, unless another one has been chosen meanwhile.
   * @param {Version} version
   */
  async #open({ number }) {
    const wish = ++this.wish;
    const opened = await callJson("GET", this.#url(`versions/${number}/`));
    if (wish !== this.wish) return;
    this.onOpen(opened);
    this.show();
    this.keepSoon();
  }

  async #rename() {
    const name = byId("version-name", HTMLInputElement).value.trim();
    await callJson("PATCH", this.#url(`versions/${this.state.version}/`), { json: { name } });
    await this.refresh(({ number }) => number === this.state.version);
  }

  async #delete() {
    const gone = this.state.version;
    const before = this.known.versions.findLast(({ number }) => number < gone) ?? this.known.versions[0];
    await this.#open(before);
    await callJson("DELETE", this.#url(`versions/${gone}/`));
    await this.refresh(({ number }) => number === this.state.version);
    toast(gettext("The version is deleted."));
  }

  /** @param {Promise<unknown>} action */
  async #complaining(action) {
    try {
      await action;
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error));
    }
  }
}

/**
 * Return the title of a version: its name, or how it was made.
 * @param {{ number: number, name: string, is_saved_by_hand: boolean, method: string }} version
 * @returns {string}
 */
export function titleOf({ number, name, is_saved_by_hand: isSaved, method }) {
  if (name) return name;
  if (number === FIRST) return gettext("First result");
  if (isSaved) return fill(gettext("Edit {number}"), { number });
  /** @type {Record<string, string>} */
  const made = { boxes: gettext("Boxes"), points: gettext("Clicks"), instances: gettext("People") };
  return `${made[method] ?? gettext("New run")} ${number}`;
}

/**
 * Return a text about the cost of the next run of the model.
 * @param {number} left the number of free runs
 * @returns {string}
 */
export function costOf(left) {
  if (left <= 0) return gettext("The next correction of this picture counts as one more picture.");
  const text = ngettext(
    "Corrections of this picture cost nothing more; {count} is left.",
    "Corrections of this picture cost nothing more; {count} are left.",
    left,
  );
  return fill(text, { count: left });
}
