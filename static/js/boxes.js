// Boxes over the picture, kept in its own whole pixels: draw, add, move, resize, nudge, delete, undo.
const NAMESPACE = "http://www.w3.org/2000/svg";
const MIN_SIDE_PX = 8;
const HANDLES = { nw: [0, 0], n: [0.5, 0], ne: [1, 0], e: [1, 0.5], se: [1, 1], s: [0.5, 1], sw: [0, 1], w: [0, 0.5] };
const NUDGES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const make = (name, attributes = {}) => {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class BoxEditor {
  constructor(svg, viewport, { label, onChange, onCommit }) {
    Object.assign(this, { svg, viewport, label, onChange, onCommit });
    this.boxes = [];
    this.history = [];
    this.selected = -1;
    this.gesture = null;
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel"]) svg.addEventListener(kind, (event) => this.#up(event));
    svg.addEventListener("keydown", (event) => this.#key(event));
  }

  // The people's tool draws on the same SVG.
  get #isOnStage() {
    return this.svg.closest(".stage").dataset.tool === "boxes";
  }

  set(boxes) {
    clearTimeout(this.nudging);
    this.boxes = boxes.map((box) => [...box]);
    this.history = [];
    this.selected = this.boxes.length - 1;
    this.draw();
  }

  // Put a box in the middle of what is in sight. It is for the keyboard to move: nothing is committed before that.
  add() {
    const [left, top, right, bottom] = this.viewport.seen;
    const side = (from, to) => Math.max(MIN_SIDE_PX, (to - from) / 2);
    const [width, height] = [side(left, right), side(top, bottom)];
    const x = clamp((left + right - width) / 2, 0, this.viewport.size[0] - width);
    const y = clamp((top + bottom - height) / 2, 0, this.viewport.size[1] - height);
    this.#remember();
    this.boxes.push([x, y, x + width, y + height].map(Math.round));
    this.selected = this.boxes.length - 1;
    this.#changed(false);
    this.svg.children[this.selected].focus({ preventScroll: true });
  }

  undo() {
    if (!this.history.length) return;
    this.boxes = this.history.pop();
    this.selected = this.boxes.length - 1;
    this.#changed(true);
  }

  remove(index) {
    this.#remember();
    this.boxes.splice(index, 1);
    this.selected = Math.min(this.selected, this.boxes.length - 1);
    this.#changed(true);
  }

  clear() {
    this.#remember();
    this.boxes = [];
    this.selected = -1;
    this.#changed(true);
  }

  draw() {
    const [width, height] = this.viewport.size;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const focused = this.svg.contains(document.activeElement);
    this.svg.replaceChildren(...this.boxes.map((box, index) => this.#group(box, index)));
    if (focused && this.selected >= 0) this.svg.children[this.selected]?.focus();
  }

  #group([left, top, right, bottom], index) {
    const group = make("g", { tabindex: 0, role: "button", "aria-label": `${this.label} ${index + 1}: ${left}, ${top}, ${right}, ${bottom}` });
    group.classList.toggle("selected", index === this.selected);
    group.dataset.index = index;
    group.append(make("rect", { class: "area", x: left, y: top, width: right - left, height: bottom - top }));
    const side = 11 / this.viewport.scale;
    for (const [name, [fx, fy]] of Object.entries(HANDLES)) {
      const handle = make("rect", { class: `handle ${name}`, width: side, height: side, x: left + (right - left) * fx - side / 2, y: top + (bottom - top) * fy - side / 2 });
      handle.dataset.handle = name;
      group.append(handle);
    }
    group.addEventListener("focus", () => { if (this.selected !== index) { this.selected = index; this.#mark(); } });
    return group;
  }

  #mark() {
    [...this.svg.children].forEach((group, index) => group.classList.toggle("selected", index === this.selected));
  }

  #remember() {
    this.history.push(this.boxes.map((box) => [...box]));
    if (this.history.length > 50) this.history.shift();
  }

  #changed(committed) {
    this.draw();
    this.onChange(this.boxes);
    if (committed) this.onCommit(this.boxes);
  }

  #down(event) {
    if (!this.#isOnStage || event.button > 0 || this.viewport.pointers.size > 1) return;
    event.preventDefault();
    const point = this.viewport.toPicture(event.clientX, event.clientY);
    const group = event.target.closest("g");
    this.#remember();
    this.svg.setPointerCapture(event.pointerId);
    if (group) {
      this.selected = Number(group.dataset.index);
      this.gesture = { kind: event.target.dataset.handle ?? "move", start: point, from: [...this.boxes[this.selected]] };
      group.focus({ preventScroll: true });
      this.#mark();
    } else {
      this.gesture = { kind: "draw", start: point, from: null };
      this.selected = this.boxes.length;
    }
  }

  #move(event) {
    if (!this.gesture) return;
    if (this.viewport.pointers.size > 1) { this.#abandon(); return; }
    const point = this.viewport.toPicture(event.clientX, event.clientY);
    const box = this.#shaped(point);
    if (this.gesture.kind === "draw" && (box[2] - box[0] < 2 || box[3] - box[1] < 2)) return;
    this.boxes[this.selected] = box;
    this.draw();
    this.onChange(this.boxes);
  }

  #shaped(point) {
    const { kind, start, from } = this.gesture;
    const [width, height] = this.viewport.size;
    const [x, y] = [clamp(point[0], 0, width), clamp(point[1], 0, height)];
    if (kind === "draw") {
      const [sx, sy] = [clamp(start[0], 0, width), clamp(start[1], 0, height)];
      return [Math.min(sx, x), Math.min(sy, y), Math.max(sx, x), Math.max(sy, y)].map(Math.round);
    }
    if (kind === "move") {
      const dx = clamp(point[0] - start[0], -from[0], width - from[2]);
      const dy = clamp(point[1] - start[1], -from[1], height - from[3]);
      return [from[0] + dx, from[1] + dy, from[2] + dx, from[3] + dy].map(Math.round);
    }
    const box = [...from];
    if (kind.includes("w")) box[0] = Math.min(x, from[2] - MIN_SIDE_PX);
    if (kind.includes("e")) box[2] = Math.max(x, from[0] + MIN_SIDE_PX);
    if (kind.includes("n")) box[1] = Math.min(y, from[3] - MIN_SIDE_PX);
    if (kind.includes("s")) box[3] = Math.max(y, from[1] + MIN_SIDE_PX);
    return box.map(Math.round);
  }

  #abandon() {
    this.gesture = null;
    this.boxes = this.history.pop() ?? this.boxes;
    this.selected = this.boxes.length - 1;
    this.draw();
  }

  #up() {
    if (!this.gesture) return;
    this.gesture = null;
    const box = this.boxes[this.selected];
    const before = this.history[this.history.length - 1];
    if (!box || box[2] - box[0] < MIN_SIDE_PX || box[3] - box[1] < MIN_SIDE_PX) { this.#abandon(); return; }
    if (JSON.stringify(before) === JSON.stringify(this.boxes)) { this.history.pop(); this.draw(); return; }
    this.#changed(true);
    this.svg.children[this.selected]?.focus({ preventScroll: true });
  }

  #key(event) {
    if (!this.#isOnStage) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); this.undo(); return; }
    const box = this.boxes[this.selected];
    if (!box) return;
    if (["Delete", "Backspace"].includes(event.key)) { event.preventDefault(); this.remove(this.selected); return; }
    if (event.key === "Enter") { event.preventDefault(); this.#commitAfter(0); return; }
    const nudge = NUDGES[event.key];
    if (!nudge) return;
    event.preventDefault();
    const step = event.shiftKey ? 10 : 1;
    this.#remember();
    this.boxes[this.selected] = this.#nudged(box, nudge[0] * step, nudge[1] * step, event.altKey);
    this.#changed(false);
    this.#commitAfter(600);
  }

  // The box moved, or with `resizes` its right and lower edges alone.
  #nudged([left, top, right, bottom], x, y, resizes) {
    const [width, height] = this.viewport.size;
    const dx = clamp(x, resizes ? left + MIN_SIDE_PX - right : -left, width - right);
    const dy = clamp(y, resizes ? top + MIN_SIDE_PX - bottom : -top, height - bottom);
    return resizes ? [left, top, right + dx, bottom + dy] : [left + dx, top + dy, right + dx, bottom + dy];
  }

  #commitAfter(pause_ms) {
    clearTimeout(this.nudging);
    this.nudging = setTimeout(() => this.onCommit(this.boxes), pause_ms);
  }
}
