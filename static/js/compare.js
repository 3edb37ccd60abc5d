// The before/after slider: drag near the line to move it, elsewhere to pan; the hidden range serves the keyboard.
import { followDrag } from "./drag.js";

const GRAB_PX = 32;

export class Compare {
  constructor(pane, viewport, { input, line, before }) {
    Object.assign(this, { pane, viewport, input, line, before });
    input.addEventListener("input", () => this.place());
    pane.addEventListener("pointerdown", (event) => this.#down(event));
    this.place();
  }

  get share() {
    return Number(this.input.value) / 100;
  }

  place() {
    const [x] = this.viewport.toPane(this.viewport.size[0] * this.share, 0);
    this.line.style.left = `${x}px`;
    this.before.style.setProperty("--split", `${this.share * 100}%`);
  }

  #down(event) {
    if (this.pane.parentElement.dataset.tool !== "result" || event.button > 0 || this.viewport.pointers.size > 1) return;
    const frame = this.pane.getBoundingClientRect();
    const grabs = Math.abs(event.clientX - frame.left - parseFloat(this.line.style.left)) < GRAB_PX;
    followDrag(event, (dx, dy, next) => (grabs ? this.#slideTo(next.clientX) : this.viewport.panBy(dx, dy)));
  }

  #slideTo(clientX) {
    this.input.value = (this.viewport.toPicture(clientX, 0)[0] / this.viewport.size[0]) * 100;
    this.place();
  }
}
