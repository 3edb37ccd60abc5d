// The selected pictures: chosen by their check boxes, several at a time with Shift, or all on the page.
import { spanOf } from "../page/span.js";
import { fill, gettext } from "../page/texts.js";

/** @typedef {{ bar: HTMLElement, count: HTMLElement, all: HTMLElement, none: HTMLElement }} Parts */

export class Selection {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** The picture that was ticked last; with Shift, all from there are ticked. @type {HTMLInputElement | null} */
    this.last = null;
    document.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("change", () => this.#refresh());
    document.addEventListener("htmx:afterSettle", () => this.#refresh());
    parts.all.addEventListener("click", () => this.#setAll(true));
    parts.none.addEventListener("click", () => this.clear());
    this.#refresh();
  }

  /** @returns {HTMLInputElement[]} the ticked boxes, including those of pages that were loaded later */
  chosen() {
    return this.#boxes().filter(({ checked }) => checked);
  }

  clear() {
    this.#setAll(false);
  }

  /** @returns {HTMLInputElement[]} the boxes of all pictures that are not being deleted */
  #boxes() {
    return [...document.querySelectorAll(".thumb:not(.is-deleted) > .pick")].filter(
      (box) => box instanceof HTMLInputElement,
    );
  }

  /** @param {boolean} isChecked */
  #setAll(isChecked) {
    for (const box of this.#boxes()) box.checked = isChecked;
    this.#refresh();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.matches(".pick")) return;
    if (event.shiftKey && this.last) {
      for (const between of spanOf(this.#boxes(), this.last, box)) between.checked = box.checked;
    }
    this.last = box;
    this.#refresh();
  }

  #refresh() {
    const count = this.chosen().length;
    this.parts.bar.hidden = count === 0;
    this.parts.count.textContent = fill(gettext("{count} selected"), { count });
    document.body.classList.toggle("is-selecting", count > 0);
  }
}
