// The before/after slider: drag near the line to move it, elsewhere to pan; the hidden range serves the keyboard.
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
    if (this.pane.parentElement.dataset.tool !== "result" || event.button > 0) return;
    const frame = this.pane.getBoundingClientRect();
    const grabs = Math.abs(event.clientX - frame.left - parseFloat(this.line.style.left)) < GRAB_PX;
    let last = [event.clientX, event.clientY];
    const move = (next) => {
      if (this.viewport.pointers.size > 1) return;
      if (grabs) {
        this.input.value = (this.viewport.toPicture(next.clientX, 0)[0] / this.viewport.size[0]) * 100;
        this.place();
      } else this.viewport.panBy(next.clientX - last[0], next.clientY - last[1]);
      last = [next.clientX, next.clientY];
    };
    const end = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
  }
}
