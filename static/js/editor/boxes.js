// Boxes over the picture: draw, add, move, resize, nudge, remove. They are kept in the editor's state.
import { createSvg } from "../page/elements.js";
import { gettext } from "../page/texts.js";
import {
  HANDLES,
  MIN_SIDE_PX,
  areSameBoxes,
  boxBetween,
  boxInMiddle,
  copied,
  grown,
  hasSides,
  moved,
  resized,
} from "./box_geometry.js";

/** @typedef {import("../api/job.js").Box} Box */
/** @typedef {import("./box_geometry.js").Pair} Pair */
/** @typedef {{ kind: string, start: Pair, from: Box }} Gesture what a drag does: "draw", "move" or a handle's name */

const HANDLE_PX = 11; // on the screen
const NUDGE_PAUSE_MS = 600; // milliseconds after the last key until the boxes are committed
const MIN_DRAWN_PX = 2; // shorter drags show no box
/** @type {Record<string, Pair>} */
const NUDGES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class BoxEditor {
  /**
   * @param {SVGSVGElement} svg
   * @param {import("./viewport.js").Viewport} viewport
   * @param {import("./state.js").EditorState} state
   * @param {object} calls
   * @param {() => void} calls.onChange called with every step of a change
   * @param {() => void} calls.onStep called after each change that can be undone
   * @param {() => void} calls.onCommit called when a change is complete
   */
  constructor(svg, viewport, state, { onChange, onStep, onCommit }) {
    this.svg = svg;
    this.viewport = viewport;
    this.state = state;
    this.onChange = onChange;
    this.onStep = onStep;
    this.onCommit = onCommit;
    /** @type {Gesture | null} */
    this.gesture = null;
    /** The boxes before the gesture. @type {Box[]} */
    this.before = [];
    this.nudging = 0;
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    svg.addEventListener("pointerup", () => this.#up());
    svg.addEventListener("pointercancel", () => this.#up());
    svg.addEventListener("keydown", (event) => this.#key(event));
  }

  // The tool for people draws on the same SVG.
  get #isActive() {
    return this.state.tool === "boxes";
  }

  /**
   * Replace all boxes.
   * @param {Box[]} boxes
   */
  set(boxes) {
    clearTimeout(this.nudging);
    this.#put(copied(boxes));
    if (this.#isActive) this.draw();
  }

  /** Add a box in the middle of the visible part. The keyboard will move it, so nothing is committed yet. */
  add() {
    this.#put([...this.state.boxes, boxInMiddle(this.viewport.seen, this.viewport.size)]);
    this.#changed({ isComplete: false });
    this.#focusSelected();
  }

  /** @param {number} index */
  remove(index) {
    const { state } = this;
    const { selectedBox } = state;
    this.#put(state.boxes.filter((_box, at) => at !== index));
    state.selectedBox = Math.min(selectedBox, state.boxes.length - 1);
    this.#changed();
  }

  clear() {
    this.#put([]);
    this.#changed();
  }

  draw() {
    const [width, height] = this.viewport.size;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const isFocused = this.svg.contains(document.activeElement);
    this.svg.replaceChildren(...this.state.boxes.map((box, index) => this.#group(box, index)));
    if (isFocused) this.#selectedGroup?.focus();
  }

  /** @returns {SVGGElement | null} */
  get #selectedGroup() {
    const group = this.svg.children[this.state.selectedBox];
    return group instanceof SVGGElement ? group : null;
  }

  #focusSelected() {
    this.#selectedGroup?.focus({ preventScroll: true });
  }

  /**
   * @param {Box} box
   * @param {number} index
   * @returns {SVGGElement}
   */
  #group([left, top, right, bottom], index) {
    const [width, height] = [right - left, bottom - top];
    const label = `${gettext("Box")} ${index + 1}: ${left}, ${top}, ${right}, ${bottom}`;
    const group = createSvg("g", { tabindex: 0, role: "button", "aria-label": label });
    group.classList.toggle("selected", index === this.state.selectedBox);
    group.dataset.index = String(index);
    group.append(createSvg("rect", { class: "area", x: left, y: top, width, height }));
    const side = HANDLE_PX / this.viewport.scale;
    for (const [name, [shareX, shareY]] of Object.entries(HANDLES)) {
      const [x, y] = [left + width * shareX - side / 2, top + height * shareY - side / 2];
      const handle = createSvg("rect", { class: `handle ${name}`, width: side, height: side, x, y });
      handle.dataset.handle = name;
      group.append(handle);
    }
    group.addEventListener("focus", () => this.#select(index));
    return group;
  }

  /** @param {number} index */
  #select(index) {
    this.state.selectedBox = index;
    [...this.svg.children].forEach((group, at) => group.classList.toggle("selected", at === index));
  }

  /** @param {Box[]} boxes */
  #put(boxes) {
    this.state.boxes = boxes;
    this.state.selectedBox = boxes.length - 1;
  }

  /** @param {{ isComplete?: boolean }} [options] */
  #changed({ isComplete = true } = {}) {
    this.draw();
    this.onChange();
    this.onStep();
    if (isComplete) this.onCommit();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.#isActive || event.button > 0 || this.viewport.pointers.size > 1) return;
    if (!(event.target instanceof SVGElement)) return;
    event.preventDefault();
    const start = this.viewport.toPicture(event.clientX, event.clientY);
    const group = event.target.closest("g");
    this.before = copied(this.state.boxes);
    this.svg.setPointerCapture(event.pointerId);
    if (group) {
      this.#select(Number(group.dataset.index));
      const kind = event.target.dataset.handle ?? "move";
      this.gesture = { kind, start, from: copied(this.state.boxes)[this.state.selectedBox] };
      group.focus({ preventScroll: true });
    } else {
      this.gesture = { kind: "draw", start, from: [0, 0, 0, 0] };
      this.state.selectedBox = this.state.boxes.length;
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.gesture) return;
    if (this.viewport.pointers.size > 1) {
      this.#abandon();
      return;
    }
    const box = this.#shaped(this.gesture, this.viewport.toPicture(event.clientX, event.clientY));
    if (this.gesture.kind === "draw" && !hasSides(box, MIN_DRAWN_PX)) return;
    this.state.boxes[this.state.selectedBox] = box;
    this.draw();
    this.onChange();
  }

  /**
   * @param {Gesture} gesture
   * @param {Pair} point
   * @returns {Box}
   */
  #shaped({ kind, start, from }, point) {
    const { size } = this.viewport;
    if (kind === "draw") return boxBetween(start, point, size);
    if (kind === "move") return moved(from, [point[0] - start[0], point[1] - start[1]], size);
    return resized(from, kind, point, size);
  }

  #abandon() {
    this.gesture = null;
    this.#put(this.before);
    this.draw();
  }

  #up() {
    if (!this.gesture) return;
    this.gesture = null;
    const { boxes, selectedBox } = this.state;
    const box = boxes[selectedBox];
    if (!box || !hasSides(box, MIN_SIDE_PX)) {
      this.#abandon();
      return;
    }
    if (areSameBoxes(this.before, boxes)) {
      this.draw();
      return;
    }
    this.#changed();
    this.#focusSelected();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#isActive) return;
    const act = this.#actionOf(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  /**
   * Return the action of a key; null for other keys.
   * @param {KeyboardEvent} event
   * @returns {(() => void) | null}
   */
  #actionOf({ key, altKey, shiftKey }) {
    const { state } = this;
    const box = state.boxes[state.selectedBox];
    if (!box) return null;
    if (key === "Delete" || key === "Backspace") return () => this.remove(state.selectedBox);
    if (key === "Enter") return () => this.#commitAfter(0);
    const nudge = NUDGES[key];
    if (!nudge) return null;
    const step = shiftKey ? 10 : 1;
    return () => this.#nudge(box, [nudge[0] * step, nudge[1] * step], altKey);
  }

  /**
   * @param {Box} box
   * @param {Pair} distance
   * @param {boolean} resizes whether only the right and lower edges move
   */
  #nudge(box, distance, resizes) {
    const { state } = this;
    state.boxes = copied(state.boxes);
    state.boxes[state.selectedBox] = (resizes ? grown : moved)(box, distance, this.viewport.size);
    this.#changed({ isComplete: false });
    this.#commitAfter(NUDGE_PAUSE_MS);
  }

  /** @param {number} pauseMs */
  #commitAfter(pauseMs) {
    clearTimeout(this.nudging);
    this.nudging = setTimeout(this.onCommit, pauseMs);
  }
}
