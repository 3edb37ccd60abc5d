// The position of a picture in its pane: pure functions. A view is a scale (pane pixels per picture pixel) and the
// offset of the picture's corner in the pane.

/** @typedef {import("./box_geometry.js").Pair} Pair */
/** @typedef {{ scale: number, offset: Pair }} View */

export const MAX_SCALE = 16;
const MIN_SCALE = 0.01;
const MAX_FIT_SCALE = 4; // a small picture is not enlarged to the whole pane
const ROOM_PX = 24; // around a fitted picture, both sides together
const IN_SIGHT_PX = 60; // pixels of the picture that stay visible after any pan

/**
 * Return the scale at which the whole picture fits into the pane.
 * @param {Pair} pane
 * @param {Pair} size
 * @returns {number}
 */
export function fitScale(pane, size) {
  const fits = Math.min((pane[0] - ROOM_PX) / size[0], (pane[1] - ROOM_PX) / size[1], MAX_FIT_SCALE);
  return Math.max(MIN_SCALE, fits);
}

/**
 * Return the view that shows the whole picture in the middle of the pane.
 * @param {Pair} pane
 * @param {Pair} size
 * @returns {View}
 */
export function fitted(pane, size) {
  const scale = fitScale(pane, size);
  return { scale, offset: [(pane[0] - size[0] * scale) / 2, (pane[1] - size[1] * scale) / 2] };
}

/**
 * Return a view at another scale; the picture at one point of the pane does not move.
 * @param {View} view
 * @param {number} scale
 * @param {Pair} point
 * @returns {View}
 */
export function scaledAround({ scale: before, offset }, scale, point) {
  const ratio = scale / before;
  const move = (/** @type {0 | 1} */ axis) => point[axis] - (point[axis] - offset[axis]) * ratio;
  return { scale, offset: [move(0), move(1)] };
}

/**
 * Return a view's offset, limited so that at least a corner of the picture stays visible.
 * @param {View} view
 * @param {Pair} pane
 * @param {Pair} size
 * @returns {Pair}
 */
export function keptInSight({ scale, offset }, pane, size) {
  const limit = (/** @type {0 | 1} */ axis) => {
    const length = size[axis] * scale;
    const keep = Math.min(IN_SIGHT_PX, length / 2);
    return Math.min(pane[axis] - keep, Math.max(keep - length, offset[axis]));
  };
  return [limit(0), limit(1)];
}

/**
 * Return the visible part of the picture, in the picture's pixels.
 * @param {View} view
 * @param {Pair} pane
 * @param {Pair} size
 * @returns {import("../api/job.js").Box} not rounded
 */
export function seenPart({ scale, offset }, pane, size) {
  const edge = (/** @type {0 | 1} */ axis, /** @type {number} */ at) =>
    Math.min(size[axis], Math.max(0, (at - offset[axis]) / scale));
  return [edge(0, 0), edge(1, 0), edge(0, pane[0]), edge(1, pane[1])];
}

/**
 * Return the movement of two fingers: the middle before and after, and the factor of their distance.
 * @param {[Pair, Pair]} before
 * @param {[Pair, Pair]} after
 * @returns {{ from: Pair, to: Pair, factor: number }}
 */
export function pinchBetween(before, after) {
  const middle = (/** @type {[Pair, Pair]} */ [a, b]) => /** @type {Pair} */ ([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
  const spread = (/** @type {[Pair, Pair]} */ [a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
  return { from: middle(before), to: middle(after), factor: spread(after) / spread(before) };
}
