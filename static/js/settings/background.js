// The two controls for the background's colour: a check box with one colour (first page), or swatches (editor). Both
// store the chosen colour in the form's hidden `background` field; "" means transparent.
import { find, findAll } from "../page/elements.js";

/** @typedef {{ show(color: string): void }} BackgroundControl */

/** A check box for a transparent background, beside one colour. */
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

/** Swatches, and a field for any other colour. */
export class Swatches {
  /**
   * @param {HTMLFormElement} form
   * @param {(color: string) => void} onPick
   */
  constructor(form, onPick) {
    this.buttons = findAll(form, "[data-color]");
    this.shown = "";
    /** Whether the background is not a colour, so that no colour is marked as chosen. */
    this.isReplaced = false;
    for (const button of this.buttons) button.addEventListener("click", () => onPick(button.dataset.color ?? ""));
    const anyColor = find(form, "#any-color", HTMLInputElement);
    anyColor.addEventListener("input", () => onPick(anyColor.value));
  }

  /** @param {string} color */
  show(color) {
    this.shown = color;
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(!this.isReplaced && button.dataset.color === color));
    }
  }

  /** @param {boolean} isReplaced */
  replace(isReplaced) {
    this.isReplaced = isReplaced;
    this.show(this.shown);
  }
}
