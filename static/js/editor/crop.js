// The part of the picture that the Crop option keeps: the same frame as segmentation.compose.crop_box.

/** @typedef {import("../api/job.js").Box} Box */

/**
 * Return the foreground grown on every side by a share of its longer side, clipped to the picture; null when nothing is cut.
 * @param {Box | null} foreground
 * @param {{ crop?: boolean, crop_margin?: number }} options
 * @param {import("./box_geometry.js").Pair} size of the picture
 * @returns {Box | null}
 */
export function cropFrame(foreground, { crop = false, crop_margin: margin = 0 }, [width, height]) {
  if (!crop || !foreground) return null;
  const [left, top, right, bottom] = foreground;
  const extra = Math.round(margin * Math.max(right - left, bottom - top));
  return [
    Math.max(0, left - extra),
    Math.max(0, top - extra),
    Math.min(width, right + extra),
    Math.min(height, bottom + extra),
  ];
}
