// The dialog for ID photos. The server places the head as the document requires; hands can move and zoom it. The photo
// is saved alone or as a sheet to print.
import { Busy } from "../page/busy.js";
import { followDrag } from "../page/drag.js";
import { byId, create, find } from "../page/elements.js";
import { contextOf } from "./brush.js";
import { fileName, offer } from "./files.js";
import { enlarged, layerMove, moved } from "./finish_geometry.js";
import { Following } from "./following.js";
import { sheetLayout, withResolution } from "./id_photo_layout.js";

/** @typedef {import("./box_geometry.js").Pair} Pair */
/** @typedef {import("./finish_geometry.js").Hand} Hand */
/** @typedef {import("./finish_recipe.js").Recipe} Recipe */
/** @typedef {Recipe & { canvas: { width_px: number, height_px: number }, background: { color: string } }} Photo */
/** @typedef {{ recipe: Recipe, hand: Hand, size: Pair }} Wish */

const JPEG_QUALITY = 0.95;
const NUDGE = 0.01; // share of the photo
const OWN_COLOR = "own";
const PAPER = "#fff";
const CUTTING_LINE = "#bbb";
/** @type {Record<string, Pair>} */
const ARROWS = { ArrowLeft: [-NUDGE, 0], ArrowRight: [NUDGE, 0], ArrowUp: [0, -NUDGE], ArrowDown: [0, NUDGE] };

export class IdPhoto {
  /**
   * @param {object} calls
   * @param {(recipe: Recipe) => Promise<Blob>} calls.render returns the shown result, finished by a recipe
   * @param {() => string} calls.name called for the name of the shown picture
   */
  constructor({ render, name }) {
    this.busy = new Busy(byId("id-busy"));
    this.render = (/** @type {Recipe} */ recipe) => this.busy.during(render(recipe));
    this.name = name;
    this.dialog = byId("id-dialog", HTMLDialogElement);
    this.canvas = byId("id-canvas", HTMLCanvasElement);
    this.size = byId("id-size", HTMLSelectElement);
    this.zoom = byId("id-zoom", HTMLInputElement);
    this.ownColor = byId("id-own-color", HTMLInputElement);
    /** The changes of the server's placement. @type {Hand} */
    this.hand = { zoom: 1, shift: [0, 0] };
    /** The last rendering, and what it was rendered for. @type {{ photo: ImageBitmap, wish: Wish } | null} */
    this.shown = null;
    this.rendering = new Following({
      get: (/** @type {Wish} */ { recipe }) => this.render(recipe),
      show: (blob, wish) => this.#show(blob, wish),
      onError: (error) => this.#complain(error),
    });
    this.#wire();
  }

  /** Open the dialog for the shown result. */
  open() {
    this.#complain(null);
    this.shown = null;
    this.rendering.forget();
    this.dialog.showModal();
    this.#place({ zoom: 1, shift: [0, 0] });
  }

  #wire() {
    this.size.addEventListener("input", () => this.#place({ zoom: 1, shift: [0, 0] }));
    this.zoom.addEventListener("input", () =>
      this.#place(enlarged(this.hand, Number(this.zoom.value) / this.hand.zoom)),
    );
    for (const color of this.dialog.querySelectorAll("[name=id-color]")) {
      color.addEventListener("input", () => this.#draw());
    }
    this.ownColor.addEventListener("input", () => {
      find(this.dialog, `[name=id-color][value=${OWN_COLOR}]`, HTMLInputElement).checked = true;
      this.#draw();
    });
    this.canvas.addEventListener("pointerdown", (event) => this.#drag(event));
    this.canvas.addEventListener("keydown", (event) => this.#nudge(event));
    byId("id-save").addEventListener("click", () => this.#save("id-photo", async (photo) => photo));
    byId("id-sheet").addEventListener("click", () => this.#save("id-photo-sheet", sheetOf));
    byId("id-close").addEventListener("click", () => this.dialog.close());
  }

  /** @returns {Photo} the photo that a document requires */
  get #required() {
    return JSON.parse(this.size.selectedOptions[0]?.dataset.finish ?? "{}");
  }

  /** @returns {string} */
  get #color() {
    const { value } = find(this.dialog, "[name=id-color]:checked", HTMLInputElement);
    return value === OWN_COLOR ? this.ownColor.value : value || this.#required.background.color;
  }

  /** @returns {Wish} */
  get #wish() {
    const required = this.#required;
    const { zoom, shift } = this.hand;
    const recipe = {
      ...required,
      placement: { .../** @type {object} */ (required.placement), zoom, shift },
      background: { type: "color", color: this.#color },
    };
    return { recipe, hand: this.hand, size: [required.canvas.width_px, required.canvas.height_px] };
  }

  /** @param {Hand} hand */
  #place(hand) {
    this.hand = hand;
    this.zoom.value = String(hand.zoom);
    this.#draw();
  }

  /** Show the last rendering moved as the hand says, and request the exact one. */
  #draw() {
    const wish = this.#wish;
    const [width, height] = wish.size;
    [this.canvas.width, this.canvas.height] = wish.size;
    const context = contextOf(this.canvas.getContext("2d"));
    context.fillStyle = this.#color;
    context.fillRect(0, 0, width, height);
    if (this.shown && String(this.shown.wish.size) === String(wish.size)) {
      const { scale, move } = layerMove(this.shown.wish.hand, wish.hand);
      context.translate(width * (0.5 + move[0]), height * (0.5 + move[1]));
      context.scale(scale, scale);
      context.drawImage(this.shown.photo, -width / 2, -height / 2);
    }
    this.rendering.want(JSON.stringify(wish), wish);
  }

  /**
   * @param {Blob} blob
   * @param {Wish} wish
   */
  async #show(blob, wish) {
    const photo = await createImageBitmap(blob); // the photo before stays in use meanwhile
    this.shown?.photo.close();
    this.shown = { photo, wish };
    this.#complain(null);
    this.#draw();
  }

  /**
   * Save the photo as it is placed now.
   * @param {string} kind for the file name
   * @param {(photo: Blob) => Promise<Blob>} finished
   */
  async #save(kind, finished) {
    try {
      const blob = await finished(await this.render(this.#wish.recipe));
      offer(blob, fileName(this.name(), kind, blob.type));
      this.#complain(null);
    } catch (error) {
      this.#complain(error);
    }
  }

  /** @param {unknown} error */
  #complain(error) {
    const message = error instanceof Error ? error.message : String(error ?? "");
    byId("id-error").textContent = message;
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const { width, height } = this.canvas.getBoundingClientRect();
    this.canvas.setPointerCapture(event.pointerId);
    followDrag(event, (dx, dy) => this.#place(moved(this.hand, [dx / width, dy / height])));
  }

  /** @param {KeyboardEvent} event */
  #nudge(event) {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    this.#place(moved(this.hand, step));
  }
}

/**
 * Return a sheet of photo paper with a photo as often as it fits, as a JPEG.
 * @param {Blob} blob the photo
 * @returns {Promise<Blob>}
 */
async function sheetOf(blob) {
  const photo = await createImageBitmap(blob);
  const { size, corners } = sheetLayout([photo.width, photo.height]);
  const paper = create("canvas", { width: size[0], height: size[1] });
  const context = contextOf(paper.getContext("2d"));
  context.fillStyle = PAPER;
  context.fillRect(0, 0, ...size);
  context.strokeStyle = CUTTING_LINE;
  for (const [x, y] of corners) {
    context.drawImage(photo, x, y);
    context.strokeRect(x - 0.5, y - 0.5, photo.width + 1, photo.height + 1);
  }
  photo.close();
  return jpegOf(paper);
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
