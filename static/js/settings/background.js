// The two ways to choose a background: a tick with one colour (first page), or swatches and a picture (editor). Both
// keep the chosen colour in the form's hidden `background` field; "" means transparent.
import { find, findAll } from "../page/elements.js";

/** @typedef {{ show(color: string): void }} BackgroundControl */

/** A check box for transparent beside one colour. */
export class ColorTick {
  /**
   * @param {HTMLFormElement} form
   * @param {(color: string) => void} onPick
   */
  constructor(form, onPick) {
    this.color = find(form, "#p-color", HTMLInputElement);
    this.transparent = find(form, "#p-transparent", HTMLInputElement);
    this.color.addEventListener("input", () => onPick(this.color.value));
    this.transparent.addEventListener("change", () => onPick(this.transparent.checked ? "" : this.color.value));
  }

  /** @param {string} color */
  show(color) {
    this.transparent.checked = !color;
    if (color) this.color.value = color;
  }
}

/** Swatches, a free colour, and a picture from the visitor's computer to put behind the cutout. */
export class Swatches {
  /**
   * @param {HTMLFormElement} form
   * @param {(color: string) => void} onPick
   * @param {(url: string) => void} onPicture called with an object URL, "" when a colour replaces the picture
   */
  constructor(form, onPick, onPicture) {
    this.buttons = findAll(form, "[data-color]");
    this.onPicture = onPicture;
    this.shown = "";
    /** The object URL of the picture behind; "" when there is none. */
    this.picture = "";
    const pick = (/** @type {string} */ color) => {
      onPick(color);
      this.#setPicture("");
    };
    for (const button of this.buttons) button.addEventListener("click", () => pick(button.dataset.color ?? ""));
    const anyColor = find(form, "#any-color", HTMLInputElement);
    anyColor.addEventListener("input", () => pick(anyColor.value));
    const file = find(form, "#behind", HTMLInputElement);
    file.addEventListener("change", () => {
      if (file.files?.length) this.#setPicture(URL.createObjectURL(file.files[0]));
    });
  }

  /** @param {string} color */
  show(color) {
    this.shown = color;
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(!this.picture && button.dataset.color === color));
    }
  }

  /** @param {string} url */
  #setPicture(url) {
    if (this.picture) URL.revokeObjectURL(this.picture);
    this.picture = url;
    this.show(this.shown);
    this.onPicture(url);
  }
}
