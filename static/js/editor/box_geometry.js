// Boxes as numbers: pure functions on [left, top, right, bottom] in whole pixels of the picture, right and bottom just
// outside. A point is [x, y] in the same pixels, a size [width, height].

/** @typedef {import("../api/job.js").Box} Box */
/** @typedef {[number, number]} Pair a point or a size */

export const MIN_SIDE_PX = 8;

/** The handles of a box, named by compass directions, each with its share of the width and of the height. */
export const HANDLES = Object.freeze(
  /** @type {Record<string, Pair>} */ ({
    nw: [0, 0],
    n: [0.5, 0],
    ne: [1, 0],
    e: [1, 0.5],
    se: [1, 1],
    s: [0.5, 1],
    sw: [0, 1],
    w: [0, 0.5],
  }),
);

/**
 * Return a value limited to a range.
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @returns {number}
 */
export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/**
 * @param {Box} box
 * @returns {Box}
 */
function rounded([left, top, right, bottom]) {
  return [Math.round(left), Math.round(top), Math.round(right), Math.round(bottom)];
}

/**
 * Return the box between two points, limited to the picture.
 * @param {Pair} start
 * @param {Pair} end
 * @param {Pair} size
 * @returns {Box}
 */
export function boxBetween(start, end, [width, height]) {
  const [x1, x2] = [clamp(start[0], 0, width), clamp(end[0], 0, width)];
  const [y1, y2] = [clamp(start[1], 0, height), clamp(end[1], 0, height)];
  return rounded([Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)]);
}

/**
 * Return a box moved by a distance, as far as the picture allows.
 * @param {Box} box
 * @param {Pair} distance
 * @param {Pair} size
 * @returns {Box}
 */
export function moved([left, top, right, bottom], distance, [width, height]) {
  const dx = clamp(distance[0], -left, width - right);
  const dy = clamp(distance[1], -top, height - bottom);
  return rounded([left + dx, top + dy, right + dx, bottom + dy]);
}

/**
 * Return a box with the edges of one handle moved to a point; no side becomes shorter than MIN_SIDE_PX.
 * @param {Box} box
 * @param {string} handle a name of HANDLES
 * @param {Pair} point
 * @param {Pair} size
 * @returns {Box}
 */
export function resized([left, top, right, bottom], handle, point, [width, height]) {
  const [x, y] = [clamp(point[0], 0, width), clamp(point[1], 0, height)];
  return rounded([
    handle.includes("w") ? Math.min(x, right - MIN_SIDE_PX) : left,
    handle.includes("n") ? Math.min(y, bottom - MIN_SIDE_PX) : top,
    handle.includes("e") ? Math.max(x, left + MIN_SIDE_PX) : right,
    handle.includes("s") ? Math.max(y, top + MIN_SIDE_PX) : bottom,
  ]);
}

/**
 * Return a box with its right and lower edges moved by a distance, as far as the picture and MIN_SIDE_PX allow.
 * @param {Box} box
 * @param {Pair} distance
 * @param {Pair} size
 * @returns {Box}
 */
export function grown([left, top, right, bottom], distance, [width, height]) {
  const dx = clamp(distance[0], left + MIN_SIDE_PX - right, width - right);
  const dy = clamp(distance[1], top + MIN_SIDE_PX - bottom, height - bottom);
  return rounded([left, top, right + dx, bottom + dy]);
}

/**
 * Return a box in the middle of the visible part of the picture, with half of its sides.
 * @param {Box} seen the visible part of the picture
 * @param {Pair} size
 * @returns {Box}
 */
export function boxInMiddle([left, top, right, bottom], size) {
  const width = Math.max(MIN_SIDE_PX, (right - left) / 2);
  const height = Math.max(MIN_SIDE_PX, (bottom - top) / 2);
  const x = clamp((left + right - width) / 2, 0, size[0] - width);
  const y = clamp((top + bottom - height) / 2, 0, size[1] - height);
  return rounded([x, y, x + width, y + height]);
}

/**
 * Return whether both sides of a box are at least a number of pixels long.
 * @param {Box} box
 * @param {number} side
 * @returns {boolean}
 */
export function hasSides([left, top, right, bottom], side) {
  return right - left >= side && bottom - top >= side;
}

/**
 * Return whether two lists contain the same boxes in the same order.
 * @param {Box[]} one
 * @param {Box[]} other
 * @returns {boolean}
 */
export function areSameBoxes(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * Return copies of the boxes; changes of the copies do not affect the originals.
 * @param {Box[]} boxes
 * @returns {Box[]}
 */
export function copied(boxes) {
  return boxes.map((box) => /** @type {Box} */ ([...box]));
}
