// The erase and restore brush. A stroke is shown immediately on a canvas over the result; the strokes are sent as a
// gray PNG, which the server applies to the stored alpha: 0 erases, 255 restores, 128 keeps. The state contains them.

const MAX_SIDE_PX = 2048;
const GRAY = { erase: "rgb(0 0 0)", restore: "rgb(255 255 255)", keep: "rgb(128 128 128)" };

/** @typedef {"erase" | "restore"} BrushMode */
/** @typedef {import("./box_geometry.js").Pair} Pair */

/**
 * @typedef {object} Stroke
 * @property {BrushMode} mode
 * @property {number} width in pixels of the canvas, like the points
 * @property {number} blur of the edge, in pixels of the canvas
 * @property {Pair[]} points
 */

/**
 * @typedef {object} BrushParts
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} ring shows the brush's size under the pointer
 * @property {HTMLImageElement} after
 * @property {HTMLImageElement} before
 */

export class Brush {
  /**
   * @param {BrushParts} parts
   * @param {import("./viewport.js").Viewport} viewport
   * @param {import("./state.js").EditorState} state
   * @param {{ onCommit: () => void }} calls
   */
  constructor({ canvas, ring, after, before }, viewport, state, { onCommit }) {
    this.canvas = canvas;
    this.ring = ring;
    this.after = after;
    this.before = before;
    this.viewport = viewport;
    this.state = state;
    this.onCommit = onCommit;
    this.ratio = 1; // canvas pixels for each pixel of the picture
    this.size = "";
    this.isLive = false; // whether the canvas shows strokes that the result does not contain yet
    /** @type {Stroke | null} */
    this.stroke = null;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.#up());
    canvas.addEventListener("pointerleave", () => (ring.hidden = true));
    after.addEventListener("load", () => this.#settle());
  }

  /**
   * Set the picture's size. Strokes belong to the picture, not to a result, so they are kept if the size is the same.
   * @param {number} width
   * @param {number} height
   */
  setPicture(width, height) {
    const size = `${width} × ${height}`;
    if (size === this.size) return;
    const isOther = this.size !== "";
    this.size = size;
    this.ratio = Math.min(1, MAX_SIDE_PX / Math.max(width, height));
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    if (isOther) this.state.strokes = [];
  }

  clear() {
    this.state.strokes = [];
    this.onCommit();
  }

  /**
   * Change the brush's size by a factor, within the range of the slider.
   * @param {number} factor
   * @param {HTMLInputElement} slider
   */
  resize(factor, slider) {
    slider.value = String(Math.round(this.state.brush.sizePx * factor + (factor > 1 ? 1 : -1)));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    this.ring.style.width = this.ring.style.height = `${this.state.brush.sizePx}px`;
  }

  /** @returns {Promise<Blob>} the strokes as the gray PNG that the API takes */
  async toPng() {
    const { width, height } = this.canvas;
    const sheet = new OffscreenCanvas(width, height);
    const context = contextOf(sheet.getContext("2d"));
    context.fillStyle = GRAY.keep;
    context.fillRect(0, 0, width, height);
    for (const stroke of this.state.strokes) paint(context, stroke, GRAY[stroke.mode]);
    return sheet.convertToBlob({ type: "image/png" });
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button > 0 || this.viewport.pointers.size > 1) return;
    this.canvas.setPointerCapture(event.pointerId);
    const { mode, sizePx, hardness } = this.state.brush;
    const width = (sizePx / this.viewport.scale) * this.ratio;
    this.stroke = { mode, width, blur: ((1 - hardness) * width) / 4, points: [this.#point(event)] };
    this.#show();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#placeRing(event);
    if (!this.stroke) return;
    if (this.viewport.pointers.size > 1) {
      this.stroke = null; // two fingers zoom
      this.#settle();
      return;
    }
    this.stroke.points.push(this.#point(event));
    this.#show();
  }

  #up() {
    if (!this.stroke) return;
    this.state.strokes = [...this.state.strokes, this.stroke];
    this.stroke = null;
    this.onCommit();
  }

  /** @param {PointerEvent} event */
  #placeRing({ clientX, clientY, pointerType }) {
    const frame = this.viewport.pane.getBoundingClientRect();
    const { style } = this.ring;
    this.ring.hidden = pointerType === "touch";
    style.width = style.height = `${this.state.brush.sizePx}px`;
    style.left = `${clientX - frame.left}px`;
    style.top = `${clientY - frame.top}px`;
  }

  /**
   * @param {PointerEvent} event
   * @returns {Pair}
   */
  #point(event) {
    const [x, y] = this.viewport.toPicture(event.clientX, event.clientY);
    return [x * this.ratio, y * this.ratio];
  }

  // Paint only the newest piece of the stroke over the result, because a repeated piece changes nothing.
  #show() {
    if (!this.stroke) return;
    const { width, height } = this.canvas;
    const context = contextOf(this.canvas.getContext("2d"));
    if (!this.isLive) {
      context.clearRect(0, 0, width, height);
      context.drawImage(this.after, 0, 0, width, height);
      this.isLive = true;
      this.after.classList.add("replaced");
    }
    const piece = { ...this.stroke, points: this.stroke.points.slice(-2) };
    context.save();
    if (piece.mode === "erase") {
      context.globalCompositeOperation = "destination-out";
      paint(context, piece, "#000");
    } else {
      paint(context, piece, this.#original(context));
    }
    context.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @returns {CanvasPattern | string} the original picture, to paint with
   */
  #original(context) {
    const { naturalWidth, naturalHeight } = this.before;
    const pattern = naturalWidth ? context.createPattern(this.before, "no-repeat") : null;
    pattern?.setTransform(new DOMMatrix().scale(this.canvas.width / naturalWidth, this.canvas.height / naturalHeight));
    return pattern ?? "#888";
  }

  // The result contains the strokes now.
  #settle() {
    if (this.stroke) return;
    this.isLive = false;
    this.after.classList.remove("replaced");
    contextOf(this.canvas.getContext("2d")).clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}

/**
 * Return a drawing context; throw when the browser provides none.
 * @template {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} C
 * @param {C | null} context
 * @returns {C}
 */
export function contextOf(context) {
  if (!context) throw new Error("the browser gives no 2D context");
  return context;
}

/**
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {Stroke} stroke
 * @param {string | CanvasPattern} color
 */
function paint(context, { points, width, blur }, color) {
  const [[x, y], ...rest] = points;
  context.filter = blur >= 0.5 ? `blur(${blur}px)` : "none";
  context.strokeStyle = color;
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(x, y);
  if (!rest.length) context.lineTo(x + 0.01, y + 0.01); // a dot
  for (const point of rest) context.lineTo(...point);
  context.stroke();
  context.filter = "none";
}
