// Read a settings form into the API's options and write options back. Each form has some of the fields.

/** @typedef {import("../api/job.js").Options} Options */

/** The kind of field of each option in a form. An empty background means transparent. */
const FIELDS = Object.freeze(
  /** @type {const} */ ({
    subject: "text",
    quality: "text",
    format: "text",
    background: "color",
    alpha_mode: "text",
    threshold: "number",
    erosion: "number",
    feathering: "flag",
    decontaminate: "flag",
    crop: "flag",
    crop_margin: "number",
  }),
);

/**
 * The used part of a form; `namedItem` returns an input, a select or a group of radio buttons.
 * @typedef {{ elements: { namedItem(name: string): any } }} FormLike
 */

/**
 * Return the options of the fields that a form has.
 * @param {FormLike} form
 * @returns {Partial<Options>}
 */
export function readFields(form) {
  /** @type {Record<string, unknown>} */
  const options = {};
  for (const [name, kind] of Object.entries(FIELDS)) {
    const field = form.elements.namedItem(name);
    if (!field) continue;
    if (kind === "flag") options[name] = field.checked;
    else if (kind === "number") options[name] = Number(field.value);
    else if (kind === "color") options[name] = field.value || null;
    else options[name] = field.value;
  }
  return options;
}

/**
 * Set the fields that a form has for the given options; other options are ignored.
 * @param {FormLike} form
 * @param {Partial<Options>} options
 */
export function writeFields(form, options) {
  for (const [name, kind] of Object.entries(FIELDS)) {
    const value = options[/** @type {keyof Options} */ (name)];
    const field = name in options ? form.elements.namedItem(name) : null;
    if (!field) continue;
    if (kind === "flag") field.checked = Boolean(value);
    else field.value = value ?? "";
  }
}
