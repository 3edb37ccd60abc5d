// Zoom and pan of a picture in a pane. Everything else asks this module where a point of the screen lies on the picture.
const MAX_SCALE = 16;
const WHEEL_STEP = 0.0016;

export class Viewport {
  constructor(pane, views, { onChange }) {
    this.pane = pane;
    this.views = views;
    this.onChange = onChange;
    this.size = [1, 1];
    this.scale = 1;
    this.offset = [0, 0];
    this.fitted = true;
    this.pointers = new Map();
    pane.parentElement.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => (this.fitted ? this.fit() : this.#apply())).observe(pane);
  }

  setPicture(width, height) {
    this.size = [width, height];
    for (const view of this.views) {
      view.style.width = `${width}px`;
      view.style.height = `${height}px`;
    }
    this.fit();
  }

  get fitScale() {
    const { clientWidth, clientHeight } = this.pane;
    const room = 24;
    return Math.max(0.01, Math.min((clientWidth - room) / this.size[0], (clientHeight - room) / this.size[1], 4));
  }

  fit() {
    this.scale = this.fitScale;
    this.offset = [(this.pane.clientWidth - this.size[0] * this.scale) / 2, (this.pane.clientHeight - this.size[1] * this.scale) / 2];
    this.fitted = true;
    this.#apply();
  }

  // Where a point of the window lies on the picture, in the picture's own pixels (not rounded, may lie outside).
  toPicture(clientX, clientY) {
    const frame = this.pane.getBoundingClientRect();
    return [(clientX - frame.left - this.offset[0]) / this.scale, (clientY - frame.top - this.offset[1]) / this.scale];
  }

  toPane(x, y) {
    return [x * this.scale + this.offset[0], y * this.scale + this.offset[1]];
  }

  // What is in sight of the picture: left, top, right, bottom in its own pixels.
  get seen() {
    const edge = (axis, point) => Math.min(this.size[axis], Math.max(0, (point - this.offset[axis]) / this.scale));
    return [edge(0, 0), edge(1, 0), edge(0, this.pane.clientWidth), edge(1, this.pane.clientHeight)];
  }

  zoomBy(factor, clientX, clientY) {
    const frame = this.pane.getBoundingClientRect();
    const [px, py] = [(clientX ?? frame.left + frame.width / 2) - frame.left, (clientY ?? frame.top + frame.height / 2) - frame.top];
    const scale = Math.min(MAX_SCALE, Math.max(this.fitScale / 2, this.scale * factor));
    const ratio = scale / this.scale;
    this.offset = [px - (px - this.offset[0]) * ratio, py - (py - this.offset[1]) * ratio];
    this.scale = scale;
    this.fitted = false;
    this.#apply();
  }

  panBy(dx, dy) {
    this.offset = [this.offset[0] + dx, this.offset[1] + dy];
    this.fitted = false;
    this.#apply();
  }

  #wheel(event) {
    event.preventDefault();
    if (event.ctrlKey || !event.shiftKey) this.zoomBy(Math.exp(-event.deltaY * WHEEL_STEP * (event.ctrlKey ? 4 : 1)), event.clientX, event.clientY);
    else this.panBy(-event.deltaY, 0);
  }

  // Keep at least a corner of the picture in sight.
  #apply() {
    for (const axis of [0, 1]) {
      const room = axis ? this.pane.clientHeight : this.pane.clientWidth;
      const length = this.size[axis] * this.scale;
      const keep = Math.min(60, length / 2);
      this.offset[axis] = Math.min(room - keep, Math.max(keep - length, this.offset[axis]));
    }
    for (const view of this.views) view.style.transform = `translate(${this.offset[0]}px, ${this.offset[1]}px) scale(${this.scale})`;
    this.onChange(this);
  }

  // Two fingers zoom and pan in every tool; says whether it took the event.
  pinch(event) {
    if (event.type === "pointerdown") this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (["pointerup", "pointercancel"].includes(event.type)) this.pointers.delete(event.pointerId);
    if (this.pointers.size !== 2 || event.type !== "pointermove" || !this.pointers.has(event.pointerId)) return this.pointers.size > 1;
    const before = [...this.pointers.values()];
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    const after = [...this.pointers.values()];
    const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const spread = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    const [from, to] = [middle(before), middle(after)];
    this.panBy(to[0] - from[0], to[1] - from[1]);
    this.zoomBy(spread(after) / spread(before), to[0], to[1]);
    return true;
  }
}
