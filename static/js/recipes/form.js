// The recipe form: read and fill its fields, show the fields of the chosen kinds, and add rows for files.
import { byId, find, findAll } from "../page/elements.js";

/** @typedef {import("./values.js").Values} Values */
/** @typedef {HTMLInputElement | HTMLSelectElement} Field */

export class RecipeForm {
  /** @param {() => void} onChange called with every change */
  constructor(onChange) {
    this.form = byId("recipe-form", HTMLFormElement);
    this.rows = byId("outputs");
    this.template = byId("output-row", HTMLTemplateElement);
    this.onChange = onChange;
    this.form.addEventListener("input", () => this.#changed());
    byId("output-add").addEventListener("click", () => {
      const last = this.outputs.at(-1);
      this.#addRow({ ...last, format: "webp" });
      this.#changed();
    });
  }

  /** @returns {Values} */
  get values() {
    return valuesIn(findAll(this.form, "[data-field]"));
  }

  /** @returns {Values[]} */
  get outputs() {
    return findAll(this.rows, "[data-row]").map((row) => valuesIn(findAll(row, "[data-output]")));
  }

  /**
   * @param {Values} values
   * @param {Values[]} outputs
   */
  show(values, outputs) {
    fillIn(findAll(this.form, "[data-field]"), values);
    this.rows.replaceChildren();
    for (const output of outputs) this.#addRow(output);
    this.#showKinds();
  }

  #changed() {
    this.#showKinds();
    this.onChange();
  }

  /** @param {Values} values */
  #addRow(values) {
    const row = find(/** @type {DocumentFragment} */ (this.template.content.cloneNode(true)), "[data-row]");
    fillIn(findAll(row, "[data-output]"), values);
    find(row, "[data-remove]").addEventListener("click", () => {
      row.remove();
      this.#changed();
    });
    this.rows.append(row);
    this.#showKinds();
  }

  // `data-when="shadow.type:cast drop"` shows a part only if the field has one of these values.
  #showKinds() {
    const { values } = this;
    for (const part of findAll(this.form, "[data-when]")) {
      const [name, wanted] = (part.dataset.when ?? "").split(":");
      part.hidden = !wanted.split(" ").includes(String(values[name]));
    }
    const rows = findAll(this.rows, "[data-row]");
    for (const row of rows) find(row, "[data-remove]").hidden = rows.length === 1;
    for (const output of findAll(this.form, "output[data-of]")) {
      const field = byId(output.dataset.of ?? "", HTMLInputElement);
      output.textContent = `${Number(field.value) / Number(output.dataset.divisor ?? 1)}${output.dataset.unit ?? ""}`;
    }
  }
}

/**
 * @param {HTMLElement[]} elements
 * @returns {Values}
 */
function valuesIn(elements) {
  return Object.fromEntries(elements.map((element) => [nameOf(element), valueIn(/** @type {Field} */ (element))]));
}

/**
 * @param {HTMLElement[]} elements
 * @param {Values} values
 */
function fillIn(elements, values) {
  for (const element of elements) {
    const value = values[nameOf(element)];
    if (value === undefined) continue;
    if (isTick(element)) element.checked = Boolean(value);
    else /** @type {Field} */ (element).value = String(value);
  }
}

/**
 * @param {HTMLElement} element
 * @returns {string}
 */
function nameOf(element) {
  return element.dataset.field ?? element.dataset.output ?? "";
}

/**
 * @param {Field} field
 * @returns {string | boolean}
 */
function valueIn(field) {
  return isTick(field) ? field.checked : field.value;
}

/**
 * @param {HTMLElement} element
 * @returns {element is HTMLInputElement}
 */
function isTick(element) {
  return element instanceof HTMLInputElement && element.type === "checkbox";
}
