// The finish of a picture: parts of a recipe (segmentation/finish/recipe.py), and the recipe that the API accepts.

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("./box_geometry.js").Pair} Pair */
/** @typedef {import("./finish_geometry.js").Hand} Hand */

/** @typedef {{ aspect?: string, width_px?: number, height_px?: number }} Canvas {} keeps the frame of the photo */
/** @typedef {{ fill?: number, zoom?: number, shift?: Pair }} Placement */
/** @typedef {{ type: "gradient", start: string, end: string, angle: number }} Gradient */
/** @typedef {{ type: "picture", picture: string, focus: Pair, zoom: number }} Picture */
/** @typedef {{ type: "blur", strength: number }} Blur */
/** @typedef {Gradient | Picture | Blur} Background a background other than a plain colour */
/** @typedef {{ type: "contact" | "drop" | "cast" | "reflection", strength: number, softness: number }} Shadow */
/** @typedef {{ width: number, color: string }} Outline */

/**
 * @typedef {object} Finish
 * @property {Canvas} canvas
 * @property {Placement} placement
 * @property {Background | null} background null if the settings' colour, or nothing, is behind the subject
 * @property {Shadow | null} shadow
 * @property {Outline | null} outline
 */

/** @typedef {Partial<Finish>} StoredFinish without null values */
/** @typedef {Record<string, unknown>} Recipe */

export const DEFAULT_FILL = 0.8;
/** So far away that no part of the subject is on the canvas. @type {Placement} */
const OFF_THE_CANVAS = { zoom: 0.05, shift: [5, 5] };

/** @returns {Finish} a finish that changes nothing */
export function noFinish() {
  return { canvas: {}, placement: {}, background: null, shadow: null, outline: null };
}

/**
 * Return the changes made by hand.
 * @param {Finish} finish
 * @returns {Hand}
 */
export function handOf({ placement: { zoom = 1, shift = [0, 0] } }) {
  return { zoom, shift };
}

/**
 * Return the finish with other changes made by hand.
 * @param {Finish} finish
 * @param {Hand} hand
 * @returns {Finish}
 */
export function withHand(finish, { zoom, shift }) {
  const { fill } = finish.placement;
  const hand = zoom === 1 && !shift[0] && !shift[1] ? {} : { zoom, shift };
  return { ...finish, placement: { ...(fill ? { fill } : {}), ...hand } };
}

/**
 * Return the finish on another canvas, with the subject at its default place.
 * @param {Finish} finish
 * @param {Canvas} canvas
 * @param {number} [fill] the subject's share of the canvas
 * @returns {Finish}
 */
export function onCanvas(finish, canvas, fill = DEFAULT_FILL) {
  return { ...finish, canvas, placement: isFramed(canvas) ? {} : { fill } };
}

/**
 * Return whether the canvas is the photo's own frame.
 * @param {Canvas} canvas
 * @returns {boolean}
 */
export function isFramed({ aspect, width_px: width }) {
  return !aspect && !width;
}

/**
 * Return whether the picture is more than a cutout.
 * @param {Finish} finish
 * @returns {boolean}
 */
export function isFinished({ canvas, placement, background, shadow, outline }) {
  const isMoved = Object.keys(placement).length > 0;
  return !isFramed(canvas) || isMoved || background !== null || shadow !== null || outline !== null;
}

/**
 * Return the canvas's width and height, in any unit.
 * @param {Finish} finish
 * @param {Pair} photo
 * @returns {Pair}
 */
export function canvasShape({ canvas }, photo) {
  if (canvas.aspect) {
    const [width, height] = canvas.aspect.split(":").map(Number);
    return [width, height];
  }
  return canvas.width_px && canvas.height_px ? [canvas.width_px, canvas.height_px] : photo;
}

/**
 * Return a finish as the server stores it; null for one that changes nothing.
 * @param {Finish} finish
 * @returns {StoredFinish | null}
 */
export function storedFinish(finish) {
  return isFinished(finish) ? /** @type {StoredFinish} */ (partsOf(finish)) : null;
}

/**
 * @param {Finish} finish
 * @returns {Recipe} without null values
 */
function partsOf(finish) {
  return Object.fromEntries(Object.entries(finish).filter(([, part]) => part !== null));
}

/**
 * Return the recipe of a finished picture.
 * @param {Finish} finish
 * @param {Partial<Options>} options the colour behind the subject, and the format; JPEG becomes PNG where it is transparent
 * @returns {Recipe}
 */
export function recipeOf(finish, { background: color = null, format = "png" }) {
  const background = finish.background ?? (color ? { type: "color", color } : { type: "transparent" });
  const isOpaque = background.type !== "transparent";
  return { ...partsOf(finish), background, outputs: [{ format: format === "jpeg" && !isOpaque ? "png" : format }] };
}

/**
 * Return the recipe of the subject alone, with its shadow and outline, as a layer for any background.
 * @param {Finish} finish
 * @returns {Recipe}
 */
export function subjectRecipe(finish) {
  return recipeOf({ ...finish, background: null }, {});
}

/**
 * Return the recipe of the blurred photo alone, which does not move with the subject.
 * @param {Finish} finish with a blurred background
 * @returns {Recipe}
 */
export function blurRecipe({ canvas, placement: { fill }, background }) {
  const placement = { ...(fill ? { fill } : {}), ...OFF_THE_CANVAS };
  return recipeOf({ ...noFinish(), canvas, placement, background }, { format: "jpeg" });
}
