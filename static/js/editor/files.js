// What leaves the page: downloads, copies, links and saved versions, rendered as the panel says.
import { copyText } from "../page/clipboard.js";
import { byId, create } from "../page/elements.js";
import { fill, gettext } from "../page/texts.js";
import { toast } from "../page/toast.js";
import { composed } from "./behind.js";
import { editOf, keptPeople, shownImage } from "./state.js";

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("../api/job.js").StoredFile} StoredFile */

const LINK_FREED_AFTER_MS = 10_000;
/** @type {Record<string, string>} */
const EXTENSIONS = { "image/jpeg": "jpg", "image/webp": "webp" };

/**
 * @typedef {object} FileCalls
 * @property {() => Partial<Options>} options the options of the settings form
 * @property {() => Partial<Options>} fields what the settings form holds
 * @property {() => string} behind the object URL of the picture behind, "" for none
 * @property {import("./renderings.js").Renderings} renderings
 */

export class Files {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {FileCalls} calls
   */
  constructor(state, { options, fields, behind, renderings }) {
    this.state = state;
    this.options = options;
    this.fields = fields;
    this.behind = behind;
    this.renderings = renderings;
    /** The last link and what it shows. @type {{ wish: string, kept: Promise<StoredFile> } | null} */
    this.shared = null;
  }

  /**
   * Download the result as the panel says, or as one kind of file.
   * @param {string} [kind] png, webp, jpeg, mask or alpha
   */
  async download(kind = "") {
    const options = downloadOptions(this.#cutoutOptions(), kind);
    const blob = kind ? await this.renderings.render(options) : await this.#result();
    offer(blob, fileName(shownImage(this.state).name, options.outputs?.[0] ?? "cutout", blob.type));
  }

  /** Copy the result. The clipboard takes pictures as PNG only, and only on HTTPS pages. */
  async copy() {
    if (!navigator.clipboard?.write) {
      const button = byId("download");
      toast(gettext("Your browser copies pictures only from pages opened over HTTPS. Download the picture instead."), {
        action: button.textContent?.trim(),
        onAction: () => button.click(),
      });
      return;
    }
    const blob = this.#result({ format: "png" });
    // Safari takes a picture that is promised within the click, not one that is made after it.
    await Promise.all([blob, navigator.clipboard.write([new ClipboardItem({ "image/png": blob })])]);
    toast(gettext("Copied"));
  }

  /** Copy a link to the result that expires; show it selected where the browser does not copy. */
  async share() {
    await giveLink(await this.#link());
  }

  /**
   * Return the result finished by a recipe, as its first file.
   * @param {string} recipe its name
   * @param {{ for_screen?: boolean }} [use]
   * @returns {Promise<Blob>}
   */
  finished(recipe, use = {}) {
    return this.renderings.render({ ...this.#cutoutOptions(), recipe }, use);
  }

  /**
   * Store the result finished by a recipe, and copy a link to its first file that expires.
   * @param {string} recipe its name
   */
  async shareFinished(recipe) {
    const { files } = await this.renderings.keepFinished({ ...this.#cutoutOptions(), recipe });
    await giveLink(sharedPage(files[0].url));
  }

  /**
   * Save what is shown as a version of the picture.
   * @returns {Promise<import("./versions.js").Version>}
   */
  async save() {
    const version = await this.renderings.saveVersion(this.#cutoutOptions(), editOf(this.state, this.fields()));
    toast(gettext("Saved as a version of this picture."));
    return version;
  }

  /** @returns {Partial<Options>} */
  #cutoutOptions() {
    return { ...this.options(), outputs: ["cutout"] };
  }

  /**
   * @param {Partial<Options>} [changes]
   * @returns {Promise<Blob>} the cutout as the panel says, with the picture behind it where there is one
   */
  async #result(changes = {}) {
    const blob = await this.renderings.render({ ...this.#cutoutOptions(), ...changes });
    const behind = this.behind();
    return behind ? composed(blob, behind) : blob;
  }

  // Each link is a stored file, so a new one is made only when something has changed.
  async #link() {
    const { state } = this;
    const wish = JSON.stringify([this.options(), state.imageId, keptPeople(state), state.strokes]);
    if (this.shared?.wish !== wish) this.shared = { wish, kept: this.renderings.keep(this.#cutoutOptions()) };
    const { kept } = this.shared;
    kept.catch(() => {
      this.shared = null;
    });
    return sharedPage((await kept).url);
  }
}

/**
 * Return the options of a download as one kind of file. JPEG gets white where no background is chosen.
 * @param {Partial<Options>} options
 * @param {string} kind
 * @returns {Partial<Options>}
 */
export function downloadOptions(options, kind) {
  if (kind === "mask" || kind === "alpha") return { ...options, outputs: [kind] };
  if (kind === "jpeg") return { ...options, format: kind, background: options.background || "#ffffff" };
  return kind ? { ...options, format: kind } : options;
}

/**
 * Return the name of a downloaded file: that of the picture, what it is, and the extension of its type.
 * @param {string} name
 * @param {string} output
 * @param {string} type
 * @returns {string}
 */
export function fileName(name, output, type) {
  return `${name.replace(/\.[^.]+$/, "") || "picture"}-${output}.${EXTENSIONS[type] ?? "png"}`;
}

/**
 * Return the page that shows a stored file to those who have its signed link.
 * @param {string} url of the file
 * @returns {string}
 */
export function sharedPage(url) {
  return url.replace(/\/files\/([0-9a-f-]+)\/[^?]*/, "/shared/$1/");
}

/**
 * Return when a signed link expires.
 * @param {string} url
 * @returns {Date}
 */
export function expiryOf(url) {
  return new Date(Number(new URL(url).searchParams.get("until")) * 1000);
}

/**
 * Let the browser save a file.
 * @param {Blob} blob
 * @param {string} name
 */
export function offer(blob, name) {
  const link = create("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), LINK_FREED_AFTER_MS);
}

/**
 * Copy a link that expires, and tell how long it works; show it selected where the browser does not copy.
 * @param {string} url
 */
async function giveLink(url) {
  const time = expiryOf(url).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  if (await copyText(url)) {
    toast(fill(gettext("The link is copied. It works until {time}, or until the picture is deleted."), { time }));
  } else {
    showLink(url, fill(gettext("The link works until {time}, or until the picture is deleted."), { time }));
  }
}

/**
 * @param {string} url
 * @param {string} text
 */
function showLink(url, text) {
  const field = byId("link", HTMLInputElement);
  field.value = url;
  byId("link-words").textContent = text;
  byId("link-dialog", HTMLDialogElement).showModal();
  field.select();
}
