// The erase and restore brush. Strokes are shown in colour on a canvas and sent as a gray PNG, which the server lays over
// the stored alpha: 0 erases, 255 restores, 128 keeps. They are kept in the editor's state.

const MAX_SIDE_PX = 2048;
const GRAY = { erase: "rgb(0 0 0)", restore: "rgb(255 255 255)", keep: "rgb(128 128 128)" };
const COLORS = { erase: "#e5484d", restore: "#30a46c" };

/** @typedef {"erase" | "restore"} BrushMode */
/** @typedef {import("./box_geometry.js").Pair} Pair */

/**
 * @typedef {object} Stroke
 * @property {BrushMode} mode
 * @property {number} width in pixels of the canvas, like the points
 * @property {Pair[]} points
 */

export class Brush {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./viewport.js").Viewport} viewport
   * @param {import("./state.js").EditorState} state
   * @param {{ onCommit: () => void }} calls
   */
  constructor(canvas, viewport, state, { onCommit }) {
    this.canvas = canvas;
    this.viewport = viewport;
    this.state = state;
    this.onCommit = onCommit;
    this.ratio = 1; // canvas pixels for each pixel of the picture
    this.size = "";
    /** @type {Stroke | null} */
    this.stroke = null;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.#up());
  }

  /**
   * Set the picture's size. Strokes lie on the picture, not on its result, so they stay while the size does.
   * @param {number} width
   * @param {number} height
   */
  setPicture(width, height) {
    const size = `${width} × ${height}`;
    if (size === this.size) return;
    this.size = size;
    this.ratio = Math.min(1, MAX_SIDE_PX / Math.max(width, height));
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.state.strokes = [];
  }

  /** @param {Stroke[]} strokes */
  setStrokes(strokes) {
    this.state.strokes = [...strokes];
    this.#draw();
  }

  undo() {
    this.setStrokes(this.state.strokes.slice(0, -1));
    this.onCommit();
  }

  clear() {
    this.setStrokes([]);
    this.onCommit();
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
    const { mode, sizePx } = this.state.brush;
    this.stroke = { mode, width: (sizePx / this.viewport.scale) * this.ratio, points: [this.#point(event)] };
    this.state.strokes.push(this.stroke);
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.stroke) return;
    if (this.viewport.pointers.size > 1) {
      this.state.strokes.pop();
      this.stroke = null;
    } else {
      this.stroke.points.push(this.#point(event));
    }
    this.#draw();
  }

  #up() {
    if (!this.stroke) return;
    this.stroke = null;
    this.onCommit();
  }

  /**
   * @param {PointerEvent} event
   * @returns {Pair}
   */
  #point(event) {
    const [x, y] = this.viewport.toPicture(event.clientX, event.clientY);
    return [x * this.ratio, y * this.ratio];
  }

  #draw() {
    const context = contextOf(this.canvas.getContext("2d"));
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const stroke of this.state.strokes) paint(context, stroke, COLORS[stroke.mode]);
  }
}

/**
 * Return a drawing context; throw when the browser gives none.
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
 * @param {string} color
 */
function paint(context, { points, width }, color) {
  const [[x, y], ...rest] = points;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(x, y);
  if (!rest.length) context.lineTo(x + 0.01, y + 0.01); // a dot
  for (const point of rest) context.lineTo(...point);
  context.stroke();
}
