// Clicks on the picture: a click keeps this place, Alt-click or a long press removes it. The clicks are in the
// editor's state.
import { createSvg } from "../page/elements.js";
import { followDrag } from "../page/drag.js";
import { fill, gettext } from "../page/texts.js";

/** @typedef {import("../api/job.js").Point} Point */

const RADIUS_PX = 9; // on the screen
const LONG_PRESS_MS = 450;
const CLICK_SLACK_PX = 6; // a pointer that moves further pans the view
export const MAX_POINTS = 20; // segmentation/options.py

export class Points {
  /**
   * @param {SVGSVGElement} svg
   * @param {import("./viewport.js").Viewport} viewport
   * @param {import("./state.js").EditorState} state
   * @param {{ onCommit: () => void }} calls
   */
  constructor(svg, viewport, state, { onCommit }) {
    this.svg = svg;
    this.viewport = viewport;
    this.state = state;
    this.onCommit = onCommit;
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("contextmenu", (event) => this.#isActive && event.preventDefault());
  }

  // The tools for boxes and people draw on the same SVG.
  get #isActive() {
    return this.state.tool === "points";
  }

  /** @param {Point[]} points */
  set(points) {
    this.state.points = points.map((point) => [...point]);
    if (this.#isActive) this.draw();
  }

  clear() {
    this.set([]);
    this.onCommit();
  }

  draw() {
    const [width, height] = this.viewport.size;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...this.state.points.map((point, index) => this.#marker(point, index)));
  }

  /**
   * @param {Point} point
   * @param {number} index
   * @returns {SVGGElement}
   */
  #marker([x, y, keep], index) {
    const radius = RADIUS_PX / this.viewport.scale;
    const text = keep ? gettext("Keep at {x}, {y}") : gettext("Remove at {x}, {y}");
    const group = createSvg("g", {
      class: keep ? "point keeps" : "point removes",
      tabindex: 0,
      role: "button",
      "aria-label": fill(text, { x, y }),
    });
    group.append(createSvg("circle", { cx: x, cy: y, r: radius }));
    const bar = radius * 0.5;
    group.append(createSvg("path", { d: `M${x - bar} ${y}h${bar * 2}${keep ? `M${x} ${y - bar}v${bar * 2}` : ""}` }));
    group.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      this.#remove(index);
    });
    group.addEventListener("keydown", ({ key }) => {
      if (key === "Delete" || key === "Backspace" || key === "Enter") this.#remove(index);
    });
    return group;
  }

  /** @param {number} index */
  #remove(index) {
    this.set(this.state.points.filter((_point, at) => at !== index));
    this.onCommit();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.#isActive || event.button > 0 || this.viewport.pointers.size > 1) return;
    event.preventDefault();
    let travelled = 0;
    let isDone = false;
    const add = (/** @type {0 | 1} */ keep) => {
      if (isDone) return;
      isDone = true;
      this.#add(event, keep);
    };
    const pressed = setTimeout(() => add(0), event.pointerType === "mouse" ? 1e6 : LONG_PRESS_MS);
    followDrag(event, (dx, dy) => {
      travelled += Math.hypot(dx, dy);
      if (travelled <= CLICK_SLACK_PX || isDone) return;
      clearTimeout(pressed);
      this.viewport.panBy(dx, dy);
    });
    const up = () => {
      clearTimeout(pressed);
      if (travelled <= CLICK_SLACK_PX && this.viewport.pointers.size < 2) add(event.altKey ? 0 : 1);
    };
    window.addEventListener("pointerup", up, { once: true });
  }

  /**
   * @param {PointerEvent} event
   * @param {0 | 1} keep
   */
  #add(event, keep) {
    const [width, height] = this.viewport.size;
    const [x, y] = this.viewport.toPicture(event.clientX, event.clientY).map(Math.floor);
    if (x < 0 || y < 0 || x >= width || y >= height || this.state.points.length >= MAX_POINTS) return;
    this.set([...this.state.points, [x, y, keep]]);
    this.onCommit();
  }
}
