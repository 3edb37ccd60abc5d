// Zoom and pan of the picture in its pane. Other parts use it to convert points of the screen to those of the picture.
import { MAX_SCALE, fitScale, fitted, keptInSight, pinchBetween, scaledAround, seenPart } from "./view_geometry.js";

/** @typedef {import("./box_geometry.js").Pair} Pair */

const WHEEL_STEP = 0.0016;
const PINCH_WHEEL_FACTOR = 4; // a touchpad reports a pinch as small wheel steps with Ctrl

export class Viewport {
  /**
   * @param {HTMLElement} pane
   * @param {HTMLElement[]} views the elements that show the picture at this view
   * @param {{ onChange: (viewport: Viewport) => void }} calls
   */
  constructor(pane, views, { onChange }) {
    this.pane = pane;
    this.views = views;
    this.onChange = onChange;
    /** The picture's size in its own pixels. @type {Pair} */
    this.size = [1, 1];
    this.scale = 1;
    /** @type {Pair} */
    this.offset = [0, 0];
    this.isFitted = true;
    /** Where each pointer on the stage is, in window pixels. @type {Map<number, Pair>} */
    this.pointers = new Map();
    pane.parentElement?.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => (this.isFitted ? this.fit() : this.#apply())).observe(pane);
  }

  /** @returns {Pair} */
  get #paneSize() {
    return [this.pane.clientWidth, this.pane.clientHeight];
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  setPicture(width, height) {
    this.size = [width, height];
    for (const view of this.views) {
      view.style.width = `${width}px`;
      view.style.height = `${height}px`;
    }
    this.fit();
  }

  /** Show the whole picture. */
  fit() {
    Object.assign(this, fitted(this.#paneSize, this.size));
    this.isFitted = true;
    this.#apply();
  }

  /**
   * Return a point of the window in the picture's pixels, not rounded; it may be outside the picture.
   * @param {number} clientX
   * @param {number} clientY
   * @returns {Pair}
   */
  toPicture(clientX, clientY) {
    const frame = this.pane.getBoundingClientRect();
    const [x, y] = this.offset;
    return [(clientX - frame.left - x) / this.scale, (clientY - frame.top - y) / this.scale];
  }

  /**
   * Return a point of the picture in pixels of the pane.
   * @param {number} x
   * @param {number} y
   * @returns {Pair}
   */
  toPane(x, y) {
    return [x * this.scale + this.offset[0], y * this.scale + this.offset[1]];
  }

  /** The visible part of the picture. */
  get seen() {
    return seenPart(this, this.#paneSize, this.size);
  }

  /**
   * Zoom around a point of the window, or around the pane's middle.
   * @param {number} factor
   * @param {Pair} [at]
   */
  zoomBy(factor, at) {
    const frame = this.pane.getBoundingClientRect();
    /** @type {Pair} */
    const point = at ? [at[0] - frame.left, at[1] - frame.top] : [frame.width / 2, frame.height / 2];
    const smallest = fitScale(this.#paneSize, this.size) / 2;
    const scale = Math.min(MAX_SCALE, Math.max(smallest, this.scale * factor));
    Object.assign(this, scaledAround(this, scale, point));
    this.isFitted = false;
    this.#apply();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  panBy(dx, dy) {
    this.offset = [this.offset[0] + dx, this.offset[1] + dy];
    this.isFitted = false;
    this.#apply();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    if (event.shiftKey && !event.ctrlKey) {
      this.panBy(-event.deltaY, 0);
      return;
    }
    const step = WHEEL_STEP * (event.ctrlKey ? PINCH_WHEEL_FACTOR : 1);
    this.zoomBy(Math.exp(-event.deltaY * step), [event.clientX, event.clientY]);
  }

  #apply() {
    this.offset = keptInSight(this, this.#paneSize, this.size);
    const [x, y] = this.offset;
    for (const view of this.views) {
      view.style.transform = `translate(${x}px, ${y}px) scale(${this.scale})`;
      view.style.setProperty("--view-scale", String(this.scale));
    }
    this.onChange(this);
  }

  /**
   * Follow the fingers on the stage; two of them zoom and pan in every tool.
   * @param {PointerEvent} event
   */
  pinch({ type, pointerId, clientX, clientY }) {
    if (type === "pointerdown") this.pointers.set(pointerId, [clientX, clientY]);
    if (type === "pointerup" || type === "pointercancel") this.pointers.delete(pointerId);
    if (type !== "pointermove" || this.pointers.size !== 2 || !this.pointers.has(pointerId)) return;
    const before = this.#fingers();
    this.pointers.set(pointerId, [clientX, clientY]);
    const { from, to, factor } = pinchBetween(before, this.#fingers());
    this.panBy(to[0] - from[0], to[1] - from[1]);
    this.zoomBy(factor, to);
  }

  /** @returns {[Pair, Pair]} */
  #fingers() {
    const [one, other] = this.pointers.values();
    return [one, other];
  }
}
