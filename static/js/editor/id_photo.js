// The dialog for ID photos: a frame of a fixed size over the cutout, moved and zoomed by hand, saved as one photo or as
// a sheet to print.
import { followDrag } from "../page/drag.js";
import { byId, create, find } from "../page/elements.js";
import { contextOf } from "./brush.js";
import { photoSize, placement, sheetLayout, withResolution } from "./id_photo_layout.js";

/** @typedef {import("./box_geometry.js").Pair} Pair */
/** @typedef {import("../api/job.js").JobImage} JobImage */

const JPEG_QUALITY = 0.95;
const WHITE = "#fff";
/** @type {Record<string, Pair>} */
const NUDGES = { ArrowLeft: [-4, 0], ArrowRight: [4, 0], ArrowUp: [0, -4], ArrowDown: [0, 4] };

export class IdPhoto {
  /** @param {(blob: Blob, name: string) => void} onPhoto */
  constructor(onPhoto) {
    this.dialog = byId("id-dialog", HTMLDialogElement);
    this.canvas = byId("id-canvas", HTMLCanvasElement);
    this.size = byId("id-size", HTMLSelectElement);
    this.zoom = byId("id-zoom", HTMLInputElement);
    /** @type {Pair} */
    this.shift = [0, 0];
    /** @type {{ cutout: HTMLImageElement, image: JobImage } | null} */
    this.shown = null;
    this.#wire(onPhoto);
  }

  /**
   * Open the dialog for a cutout.
   * @param {HTMLImageElement} cutout
   * @param {JobImage} image
   */
  open(cutout, image) {
    this.shown = { cutout, image };
    this.shift = [0, 0];
    this.zoom.value = "1";
    this.dialog.showModal();
    this.#draw();
  }

  /** @param {(blob: Blob, name: string) => void} onPhoto */
  #wire(onPhoto) {
    for (const input of [this.size, this.zoom, ...this.dialog.querySelectorAll("[name=id-color]")]) {
      input.addEventListener("input", () => this.#draw());
    }
    this.canvas.addEventListener("pointerdown", (event) => this.#drag(event));
    this.canvas.addEventListener("keydown", (event) => this.#nudge(event));
    byId("id-save").addEventListener("click", async () => onPhoto(await jpegOf(this.canvas), "id-photo.jpg"));
    byId("id-sheet").addEventListener("click", async () => {
      onPhoto(await jpegOf(sheetOf(this.canvas)), "id-photo-sheet.jpg");
    });
    byId("id-close").addEventListener("click", () => this.dialog.close());
  }

  #draw() {
    if (!this.shown) return;
    const { cutout, image } = this.shown;
    const [pictureWidth, pictureHeight] = [image.width ?? 0, image.height ?? 0];
    const size = photoSize(this.size.value);
    const { color, top } = this.size.selectedOptions[0]?.dataset ?? {};
    [this.canvas.width, this.canvas.height] = size;
    const context = contextOf(this.canvas.getContext("2d"));
    context.fillStyle = find(this.dialog, "[name=id-color]:checked", HTMLInputElement).value || color || WHITE;
    context.fillRect(0, 0, ...size);
    context.imageSmoothingQuality = "high";
    const subject = image.foreground ?? [0, 0, pictureWidth, pictureHeight];
    const chosen = { zoom: Number(this.zoom.value), shift: this.shift, top: Number(top) };
    const { scale, x, y } = placement(size, subject, chosen);
    context.drawImage(cutout, x, y, pictureWidth * scale, pictureHeight * scale);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const ratio = this.canvas.width / this.canvas.getBoundingClientRect().width;
    this.canvas.setPointerCapture(event.pointerId);
    followDrag(event, (dx, dy) => this.#moveBy(dx * ratio, dy * ratio));
  }

  /** @param {KeyboardEvent} event */
  #nudge(event) {
    const step = NUDGES[event.key];
    if (!step) return;
    event.preventDefault();
    this.#moveBy(...step);
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  #moveBy(dx, dy) {
    this.shift = [this.shift[0] + dx, this.shift[1] + dy];
    this.#draw();
  }
}

/**
 * @param {HTMLCanvasElement} photo
 * @returns {HTMLCanvasElement}
 */
function sheetOf(photo) {
  const { size, corners } = sheetLayout([photo.width, photo.height]);
  const paper = create("canvas", { width: size[0], height: size[1] });
  const context = contextOf(paper.getContext("2d"));
  context.fillStyle = WHITE;
  context.fillRect(0, 0, ...size);
  context.strokeStyle = "#bbb"; // to cut along
  for (const [x, y] of corners) {
    context.drawImage(photo, x, y);
    context.strokeRect(x - 0.5, y - 0.5, photo.width + 1, photo.height + 1);
  }
  return paper;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<Blob>}
 */
async function jpegOf(canvas) {
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  if (!blob) throw new Error("the browser made no JPEG");
  return new Blob([withResolution(new Uint8Array(await blob.arrayBuffer()))], { type: "image/jpeg" });
}
