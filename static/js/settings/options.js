// The options that a page sends: pure functions that convert the values of a form to options of the API.

/** @typedef {import("../api/job.js").Options} Options */

const CUTOUT = ["cutout"];
/** The outputs of a job that searches for people. */
export const PEOPLE_OUTPUTS = Object.freeze(["cutout", "mask", "visualization"]);
/** The options that change the outline and the colours along it. */
const OUTLINE = /** @type {const} */ (["alpha_mode", "threshold", "erosion", "feathering", "decontaminate"]);

/** The options that a single picture of a batch may have (OWN_OPTIONS of jobs/api/native/serializers.py). */
const OWN = /** @type {const} */ (["subject", "format", "background", "crop", "crop_margin", ...OUTLINE]);

/**
 * Return the settings of one picture that differ from those of all pictures.
 * @param {Partial<Options>} fields
 * @param {Partial<Options>} common
 * @returns {Partial<Options>}
 */
export function ownOptions(fields, common) {
  const names = OWN.filter((name) => name in fields && fields[name] !== common[name]);
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}

/** @typedef {{ mask: boolean, people: boolean }} Ticks the two check boxes of the first page for outputs */

/**
 * Return the options of a new job.
 * @param {Partial<Options>} fields
 * @param {Ticks} ticks
 * @returns {Partial<Options>}
 */
export function optionsToSubmit(fields, { mask, people }) {
  if (people) return { ...fields, method: "instances", outputs: [...PEOPLE_OUTPUTS] };
  return { ...fields, outputs: mask ? [...CUTOUT, "mask"] : CUTOUT };
}

/**
 * Return the ticks for some options: the inverse of `optionsToSubmit`. A search for people always gives a mask.
 * @param {Partial<Options>} options
 * @returns {Ticks}
 */
export function ticksOf({ method, outputs = [] }) {
  const people = method === "instances";
  return { people, mask: !people && outputs.includes("mask") };
}

/**
 * Return the options of a rendering in the editor. Options that the panel does not show have the values of the job.
 * JPEG is kept only with a background colour, because it has no transparency.
 * @param {Partial<Options>} fields
 * @param {Partial<Options>} submitted
 * @returns {Partial<Options>}
 */
export function optionsToRender(fields, submitted) {
  const background = fields.background ?? null;
  const keepsFormat = submitted.format === "webp" || (submitted.format === "jpeg" && background !== null);
  return {
    ...fields,
    background,
    subject: submitted.subject ?? "auto",
    format: keepsFormat ? submitted.format : "png",
  };
}

/**
 * Return the options that render the whole picture with transparency, so that it lines up with the original.
 * @param {Partial<Options>} options
 * @returns {Partial<Options>}
 */
export function optionsForStage(options) {
  return { ...options, crop: false, background: null, format: "png", outputs: CUTOUT };
}

/**
 * Return whether two sets of options give the same outline and the same colours along it.
 * @param {Partial<Options>} one
 * @param {Partial<Options>} other
 * @returns {boolean}
 */
export function haveSameOutline(one, other) {
  return OUTLINE.every((name) => one[name] === other[name]);
}

/**
 * Return whether a file stored with these options is the whole picture with transparency.
 * @param {Partial<Options>} options
 * @returns {boolean}
 */
export function isWholeAndTransparent({ crop, background, format }) {
  return !crop && !background && format !== "jpeg";
}
