// The erase/restore brush: strokes are shown in colour on a canvas and sent as a gray PNG (0 erases, 255 restores,
// 128 keeps), which the server lays over the stored alpha.
const MAX_SIDE_PX = 2048;
const SHADES = { erase: 0, restore: 255 };
const COLORS = { erase: "#e5484d", restore: "#30a46c" };

export class Brush {
  constructor(canvas, viewport, { onCommit }) {
    Object.assign(this, { canvas, viewport, onCommit });
    this.strokes = [];
    this.mode = "erase";
    this.sizePx = 40;
    this.stroke = null;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => this.#up());
  }

  // Strokes lie on the picture, not on its result: they stay for another result of the same picture.
  setPicture(width, height) {
    if (String([width, height]) === String(this.size)) return;
    this.size = [width, height];
    this.ratio = Math.min(1, MAX_SIDE_PX / Math.max(width, height));
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.strokes = [];
  }

  setStrokes(strokes) {
    this.strokes = [...strokes];
    this.#redraw();
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  undo() { this.strokes.pop(); this.#redraw(); this.onCommit(); }

  clear() { this.strokes = []; this.#redraw(); this.onCommit(); }

  async toPng() {
    const { width, height } = this.canvas;
    const sheet = new OffscreenCanvas(width, height);
    const context = sheet.getContext("2d");
    context.fillStyle = "rgb(128 128 128)";
    context.fillRect(0, 0, width, height);
    for (const stroke of this.strokes) this.#paint(context, stroke, `rgb(${SHADES[stroke.mode]} ${SHADES[stroke.mode]} ${SHADES[stroke.mode]})`);
    return sheet.convertToBlob({ type: "image/png" });
  }

  #down(event) {
    if (event.button > 0 || this.viewport.pointers.size > 1) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = { mode: this.mode, width: (this.sizePx / this.viewport.scale) * this.ratio, points: [this.#point(event)] };
    this.strokes.push(this.stroke);
    this.#redraw();
  }

  #move(event) {
    if (!this.stroke) return;
    if (this.viewport.pointers.size > 1) { this.strokes.pop(); this.stroke = null; this.#redraw(); return; }
    this.stroke.points.push(this.#point(event));
    this.#redraw();
  }

  #up() {
    if (!this.stroke) return;
    this.stroke = null;
    this.onCommit();
  }

  #point(event) {
    return this.viewport.toPicture(event.clientX, event.clientY).map((value) => value * this.ratio);
  }

  #redraw() {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const stroke of this.strokes) this.#paint(context, stroke, COLORS[stroke.mode]);
  }

  #paint(context, { points, width }, color) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...points[0]);
    for (const point of points.length > 1 ? points : [points[0].map((value) => value + 0.01)]) context.lineTo(...point);
    context.stroke();
  }
}
