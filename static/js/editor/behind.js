// A picture of the visitor's behind the cutout. It never leaves the browser, so it is put together here.
import { contextOf } from "./brush.js";

/**
 * Return the place of a picture that covers an area, in the middle and cut where it is too large.
 * @param {{ width: number, height: number }} picture
 * @param {{ width: number, height: number }} area
 * @returns {{ x: number, y: number, width: number, height: number }}
 */
export function covering(picture, area) {
  const scale = Math.max(area.width / picture.width, area.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
}

/**
 * Return a transparent cutout drawn over a picture, as PNG.
 * @param {Blob} blob
 * @param {string} url of the picture behind
 * @returns {Promise<Blob>}
 */
export async function composed(blob, url) {
  const behind = new Image();
  behind.src = url;
  const [cutout] = await Promise.all([createImageBitmap(blob), behind.decode()]);
  const canvas = new OffscreenCanvas(cutout.width, cutout.height);
  const context = contextOf(canvas.getContext("2d"));
  const { x, y, width, height } = covering({ width: behind.naturalWidth, height: behind.naturalHeight }, cutout);
  context.drawImage(behind, x, y, width, height);
  context.drawImage(cutout, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
