// Sheets of ID photos: pure functions in pixels at 300 dpi.

/** @typedef {import("./box_geometry.js").Pair} Pair */

export const DPI = 300;
const MM_PER_INCH = 25.4;
const SHEET_MM = Object.freeze(/** @type {Pair} */ ([152, 102])); // 6 × 4 inch photo paper
const GAP_MM = 2;

/**
 * Return a length in millimetres as whole pixels.
 * @param {number} mm
 * @returns {number}
 */
export function pixels(mm) {
  return Math.round((mm / MM_PER_INCH) * DPI);
}

/**
 * Return the layout of a sheet of photo paper: as many photos as fit, centred.
 * @param {Pair} photo
 * @returns {{ size: Pair, corners: Pair[] }} the corners of the photos, by rows
 */
export function sheetLayout([photoWidth, photoHeight]) {
  const [width, height] = SHEET_MM.map(pixels);
  const gap = pixels(GAP_MM);
  const [stepX, stepY] = [photoWidth + gap, photoHeight + gap];
  const columns = Math.floor((width - gap) / stepX);
  const rows = Math.floor((height - gap) / stepY);
  const [left, top] = [(width - columns * stepX + gap) / 2, (height - rows * stepY + gap) / 2];
  /** @type {Pair[]} */
  const corners = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) corners.push([left + column * stepX, top + row * stepY]);
  }
  return { size: [width, height], corners };
}

/**
 * Write the resolution into a JPEG, which printers need and a canvas omits: bytes 13 to 17 of the JFIF header are
 * the unit (1 for inch) and the resolution in x and y, two bytes each.
 * @param {Uint8Array<ArrayBuffer>} bytes changed in place
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function withResolution(bytes) {
  bytes.set([1, DPI >> 8, DPI & 255, DPI >> 8, DPI & 255], 13);
  return bytes;
}
