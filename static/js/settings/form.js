// A settings form, on the first page and in the editor: shows numbers beside sliders, applies presets, and reports
// changes shortly after the last one.
import { findAll, targetOf } from "../page/elements.js";
import { readFields, writeFields } from "./fields.js";
import { Presets } from "./presets.js";

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("./background.js").BackgroundControl} BackgroundControl */

const DELAY_MS = 60;

/** @template {BackgroundControl} B */
export class SettingsForm {
  /**
   * @param {HTMLFormElement} form
   * @param {object} parts
   * @param {(form: HTMLFormElement, onPick: (color: string) => void) => B} parts.background
   * @param {() => void} [parts.onChange] called a short time after the last change
   * @param {(options: Partial<Options>) => void} [parts.onPreset] called with the options that a preset sets
   */
  constructor(form, { background, onChange = () => {}, onPreset = () => {} }) {
    this.form = form;
    this.onChange = onChange;
    /** The options that a preset changes; the form gets them back when it is released. @type {Partial<Options>} */
    this.base = this.fields;
    this.timer = 0;
    this.background = background(form, (color) => this.#pickColor(color));
    this.presets = new Presets(form, {
      onApply: (options) => {
        this.show({ ...this.base, ...options });
        onPreset({ ...this.base, ...options });
        this.#changed();
      },
    });
    form.addEventListener("input", (event) =>
      targetOf(event).hasAttribute("name") ? this.#changed() : this.showNumbers(),
    );
    this.showNumbers();
  }

  /**
   * Return the options of the fields that the form has.
   * @returns {Partial<Options>}
   */
  get fields() {
    return readFields(this.form);
  }

  /** @param {Partial<Options>} options */
  show(options) {
    writeFields(this.form, options);
    this.background.show(this.fields.background ?? "");
    this.showNumbers();
  }

  /** @param {string} color */
  #pickColor(color) {
    this.show({ background: color });
    this.#changed();
  }

  #changed() {
    this.showNumbers();
    clearTimeout(this.timer);
    this.timer = setTimeout(this.onChange, DELAY_MS);
  }

  /** Show the numbers of the sliders, after a script has set one. */
  showNumbers() {
    for (const output of findAll(this.form, "output[for]")) {
      if (!(output instanceof HTMLOutputElement)) continue;
      const slider = this.form.querySelector(`#${output.htmlFor.value}`);
      const value = slider instanceof HTMLInputElement ? slider.value : "";
      output.value = "percent" in output.dataset ? `${Math.round(Number(value) * 100)} %` : value;
    }
  }
}
