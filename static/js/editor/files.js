// The editor's outputs: downloads, copies, links and saved versions, rendered with the panel's options.
import { copyText } from "../page/clipboard.js";
import { byId, create } from "../page/elements.js";
import { fill, gettext } from "../page/texts.js";
import { toast } from "../page/toast.js";
import { isFinished, recipeOf } from "./finish_recipe.js";
import { editOf, keptPeople, shownImage } from "./state.js";

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("../api/job.js").StoredFile} StoredFile */

const LINK_FREED_AFTER_MS = 10_000;
/** @type {Record<string, string>} */
const EXTENSIONS = { "image/jpeg": "jpg", "image/webp": "webp" };

/**
 * @typedef {object} FileCalls
 * @property {() => Partial<Options>} options the options of the settings form
 * @property {() => Partial<Options>} fields the values of the settings form
 * @property {import("./renderings.js").Renderings} renderings
 */

export class Files {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {FileCalls} calls
   */
  constructor(state, { options, fields, renderings }) {
    this.state = state;
    this.options = options;
    this.fields = fields;
    this.renderings = renderings;
    /** The last link and what it shows. @type {{ wish: string, kept: Promise<StoredFile> } | null} */
    this.shared = null;
  }

  /**
   * Download the result with the panel's options, or as one kind of file.
   * @param {string} [kind] png, webp, jpeg, mask or alpha
   */
  async download(kind = "") {
    const options = downloadOptions(this.#cutoutOptions(), kind);
    const isMask = kind === "mask" || kind === "alpha";
    const blob = await this.renderings.render(isMask ? options : this.#wish(options, kind));
    offer(blob, fileName(shownImage(this.state).name, options.outputs?.[0] ?? "cutout", blob.type));
  }

  /** Copy the result. The clipboard accepts pictures only as PNG, and only on HTTPS pages. */
  async copy() {
    if (!navigator.clipboard?.write) {
      const button = byId("download");
      toast(gettext("Your browser copies pictures only from pages opened over HTTPS. Download the picture instead."), {
        action: button.textContent?.trim(),
        onAction: () => button.click(),
      });
      return;
    }
    const blob = this.result("png");
    // Safari accepts a promise of a picture that is created during the click, but no picture that is created later.
    await Promise.all([blob, navigator.clipboard.write([new ClipboardItem({ "image/png": blob })])]);
    toast(gettext("Copied"));
  }

  /** Copy an expiring link to the result; if the browser does not copy, show the link selected. */
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
   * Return the result finished by a recipe that is not stored, as its first file.
   * @param {import("./finish_recipe.js").Recipe} finish
   * @returns {Promise<Blob>}
   */
  finishedAs(finish) {
    return this.renderings.render({ ...this.#cutoutOptions(), finish });
  }

  /**
   * Store the result finished by a recipe, and copy an expiring link to its first file.
   * @param {string} recipe its name
   */
  async shareFinished(recipe) {
    const { files } = await this.renderings.keepFinished({ ...this.#cutoutOptions(), recipe });
    await giveLink(sharedPage(files[0].url));
  }

  /**
   * Save the shown picture as a version.
   * @returns {Promise<import("./versions.js").Version>}
   */
  async save() {
    const version = await this.renderings.saveVersion(
      this.#wish(this.#cutoutOptions()),
      editOf(this.state, this.fields()),
    );
    toast(gettext("Saved as a version of this picture."));
    return version;
  }

  /** @returns {Partial<Options>} */
  #cutoutOptions() {
    return { ...this.options(), outputs: ["cutout"] };
  }

  /**
   * Return the file to download.
   * @param {string} [format] png, webp or jpeg; by default the panel's format
   * @returns {Promise<Blob>}
   */
  result(format = "") {
    return this.renderings.render(this.#wish(downloadOptions(this.#cutoutOptions(), format), format));
  }

  /** A key that is different for different results. */
  get key() {
    const { state } = this;
    return JSON.stringify([this.options(), state.finish, state.imageId, keptPeople(state), state.strokes]);
  }

  /**
   * Return the name of the file that is downloaded.
   * @param {Blob} blob
   * @returns {string}
   */
  nameOf({ type }) {
    return fileName(shownImage(this.state).name, "cutout", type);
  }

  /**
   * Return a rendering's options with the finish, if there is one.
   * @param {Partial<Options>} options
   * @param {string} [format] of the file; by default that of the first result
   * @returns {import("./renderings.js").Wish}
   */
  #wish(options, format = "") {
    const { finish, job } = this.state;
    if (!isFinished(finish)) return options;
    return { ...options, finish: recipeOf(finish, { ...options, format: format || job.options.format }) };
  }

  // Each link is a stored file, so a new one is made only when something has changed.
  async #link() {
    const wish = this.key;
    if (this.shared?.wish !== wish) {
      this.shared = { wish, kept: this.renderings.keep(this.#wish(this.#cutoutOptions())) };
    }
    const { kept } = this.shared;
    kept.catch(() => {
      this.shared = null;
    });
    return sharedPage((await kept).url);
  }
}

/**
 * Return the options of a download as one kind of file. JPEG gets a white background if none is chosen.
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
 * Copy an expiring link and show its expiry; if the browser does not copy, show the link selected.
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
