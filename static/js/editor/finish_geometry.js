// Positions of the parts of a finished picture: pure functions, as in segmentation/finish (placing, backgrounds).
// Positions and moves are shares of the canvas; a point is relative to the canvas's middle, to the right and down.

/** @typedef {import("./box_geometry.js").Pair} Pair */
/** @typedef {{ zoom: number, shift: Pair }} Hand changes made by hand: zoom around the middle, then a move */
/** @typedef {{ focus: Pair, zoom: number }} View the visible part of a background picture */
/** @typedef {{ left: number, top: number, width: number, height: number }} Frame in shares of the canvas */

const ZOOM = { least: 0.05, most: 8 };
const VIEW_ZOOM = { least: 1, most: 8 };
const IN_SIGHT = 0.1; // share of the canvas: how much of the moved picture stays on it

/**
 * Return a value limited to a range.
 * @param {number} value
 * @param {number} least
 * @param {number} most
 * @returns {number}
 */
function within(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

/**
 * Return a change by hand, limited to its range and rounded to visible digits.
 * @param {Hand} hand
 * @returns {Hand}
 */
function tidy({ zoom, shift }) {
  const most = zoom / 2 + 0.5 - IN_SIGHT;
  const short = (/** @type {number} */ value) => Math.round(value * 1e4) / 1e4;
  return { zoom: short(zoom), shift: [short(within(shift[0], -most, most)), short(within(shift[1], -most, most))] };
}

/**
 * Return the hand with the picture moved.
 * @param {Hand} hand
 * @param {Pair} by
 * @returns {Hand}
 */
export function moved({ zoom, shift }, by) {
  return tidy({ zoom, shift: [shift[0] + by[0], shift[1] + by[1]] });
}

/**
 * Return the hand with the picture enlarged around a point of the canvas.
 * @param {Hand} hand
 * @param {number} factor
 * @param {Pair} [at] by default the middle of the moved picture
 * @returns {Hand}
 */
export function enlarged({ zoom, shift }, factor, at = shift) {
  const larger = within(zoom * factor, ZOOM.least, ZOOM.most);
  const ratio = larger / zoom;
  const axis = (/** @type {0 | 1} */ index) => at[index] - (at[index] - shift[index]) * ratio;
  return tidy({ zoom: larger, shift: [axis(0), axis(1)] });
}

/**
 * Return how to scale a layer around its middle and move it, so that a layer for one hand looks as for another.
 * @param {Hand} from
 * @param {Hand} to
 * @returns {{ scale: number, move: Pair }} move: after scaling
 */
export function layerMove(from, to) {
  const scale = to.zoom / from.zoom;
  return { scale, move: [to.shift[0] - from.shift[0] * scale, to.shift[1] - from.shift[1] * scale] };
}

/**
 * Return the frame of a background picture on a canvas that it covers.
 * @param {Pair} picture its width and height, in any unit
 * @param {Pair} canvas width and height, in any unit
 * @param {View} view
 * @returns {Frame}
 */
export function pictureFrame(picture, canvas, { focus, zoom }) {
  const [width, height] = lengths(picture, canvas, zoom);
  return { left: start(width, focus[0]), top: start(height, focus[1]), width, height };
}

/**
 * Return the lengths of a picture that covers a canvas, in shares of the canvas.
 * @param {Pair} picture
 * @param {Pair} canvas
 * @param {number} zoom
 * @returns {Pair}
 */
function lengths(picture, canvas, zoom) {
  const scale = Math.max(canvas[0] / picture[0], canvas[1] / picture[1]) * zoom;
  return [(picture[0] * scale) / canvas[0], (picture[1] * scale) / canvas[1]];
}

/**
 * Return the start of a side so that its focus is near the middle and no gap appears at either end.
 * @param {number} length
 * @param {number} focus
 * @returns {number}
 */
function start(length, focus) {
  return within(0.5 - focus * length, 1 - length, 0);
}

/**
 * Return the view with the background picture moved, limited so that no gap appears.
 * @param {View} view
 * @param {Pair} picture
 * @param {Pair} canvas
 * @param {Pair} by
 * @returns {View}
 */
export function pictureMoved({ focus, zoom }, picture, canvas, by) {
  const sides = lengths(picture, canvas, zoom);
  const axis = (/** @type {0 | 1} */ index) => {
    const edge = 0.5 / sides[index];
    const value = within(within(focus[index], edge, 1 - edge) - by[index] / sides[index], edge, 1 - edge);
    return Math.round(value * 1e5) / 1e5;
  };
  return { zoom, focus: [axis(0), axis(1)] };
}

/**
 * Return the view with the background picture enlarged around a point of the canvas.
 * @param {View} view
 * @param {Pair} picture
 * @param {Pair} canvas
 * @param {number} factor
 * @param {Pair} [at]
 * @returns {View}
 */
export function pictureEnlarged(view, picture, canvas, factor, at = [0, 0]) {
  const zoom = Math.round(within(view.zoom * factor, VIEW_ZOOM.least, VIEW_ZOOM.most) * 1e3) / 1e3;
  const before = pictureFrame(picture, canvas, view);
  const seen = [(at[0] + 0.5 - before.left) / before.width, (at[1] + 0.5 - before.top) / before.height];
  const sides = lengths(picture, canvas, zoom);
  /** @type {Pair} */
  const focus = [seen[0] - at[0] / sides[0], seen[1] - at[1] / sides[1]];
  return pictureMoved({ zoom, focus }, picture, canvas, [0, 0]);
}

/**
 * Return the angle of a CSS gradient that looks like a recipe's, which goes 0 from top to bottom, 90 from left to right,
 * and takes the canvas for a square.
 * @param {number} angle in degrees
 * @param {Pair} canvas width and height, in any unit
 * @returns {number} in degrees: 180 from top to bottom, 90 from left to right
 */
export function cssAngle(angle, canvas) {
  const radians = (angle * Math.PI) / 180;
  const degrees = (Math.atan2(Math.sin(radians) / canvas[0], -Math.cos(radians) / canvas[1]) * 180) / Math.PI;
  return (degrees + 360) % 360;
}
