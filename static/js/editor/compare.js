// The before/after slider: a drag near the line moves it, elsewhere it pans; the hidden range input serves the keyboard.
import { followDrag } from "../page/drag.js";

const GRAB_PX = 32;
const LEAST_SIDE = 0.02; // share of the picture: a narrower side is not visible
const LABEL_ROOM_PX = 18; // around a label, which is hidden if the line would cut it

export class Compare {
  /**
   * @param {HTMLElement} pane
   * @param {import("./viewport.js").Viewport} viewport
   * @param {import("./state.js").EditorState} state
   * @param {object} parts
   * @param {HTMLInputElement} parts.input
   * @param {HTMLElement} parts.line
   * @param {HTMLElement} parts.before
   * @param {[HTMLElement, HTMLElement]} parts.labels of the left and the right side
   */
  constructor(pane, viewport, state, { input, line, before, labels }) {
    this.pane = pane;
    this.viewport = viewport;
    this.state = state;
    this.input = input;
    this.line = line;
    this.before = before;
    this.labels = labels;
    input.addEventListener("input", () => this.place());
    pane.addEventListener("pointerdown", (event) => this.#down(event));
    this.place();
  }

  /** Move the line to the position of the input. */
  place() {
    const share = Number(this.input.value) / 100;
    const [x] = this.viewport.toPane(this.viewport.size[0] * share, 0);
    this.line.style.left = `${x}px`;
    this.before.style.setProperty("--split", `${share * 100}%`);
    const [left, right] = this.labels;
    const room = this.pane.clientWidth - right.offsetWidth - LABEL_ROOM_PX;
    left.classList.toggle("is-beside", share < LEAST_SIDE || x < left.offsetWidth + LABEL_ROOM_PX);
    right.classList.toggle("is-beside", share > 1 - LEAST_SIDE || x > room);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (this.state.tool !== "result" || event.button > 0 || this.viewport.pointers.size > 1) return;
    const frame = this.pane.getBoundingClientRect();
    const grabs = Math.abs(event.clientX - frame.left - parseFloat(this.line.style.left)) < GRAB_PX;
    followDrag(event, (dx, dy, next) => (grabs ? this.#slideTo(next.clientX) : this.viewport.panBy(dx, dy)));
  }

  /** @param {number} clientX */
  #slideTo(clientX) {
    this.input.value = String((this.viewport.toPicture(clientX, 0)[0] / this.viewport.size[0]) * 100);
    this.place();
  }
}
