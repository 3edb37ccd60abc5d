// The finished picture on the stage: background and subject are two layers, so that a drag moves one immediately while
// its next rendering is in progress. The download looks the same.
import { byId } from "../page/elements.js";
import { gettext } from "../page/texts.js";
import { cropFrame } from "./crop.js";
import {
  cssAngle,
  enlarged,
  layerMove,
  moved,
  pictureEnlarged,
  pictureFrame,
  pictureMoved,
} from "./finish_geometry.js";
import { blurRecipe, canvasShape, handOf, isFramed, subjectRecipe, withHand } from "./finish_recipe.js";
import { Following } from "./following.js";
import { keptPeople, shownImage } from "./state.js";
import { pinchBetween } from "./view_geometry.js";

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("./box_geometry.js").Pair} Pair */
/** @typedef {import("./finish_geometry.js").Hand} Hand */
/** @typedef {import("./finish_recipe.js").Picture} Picture */
/** @typedef {{ recipe: Record<string, unknown>, hand: Hand, isCropped: boolean }} LayerWish */

const NUDGE = 0.01; // share of the canvas for each press of an arrow key
const NUDGES_WITH_SHIFT = 5;
const KEY_FACTOR = 1.05;
const WHEEL_STEP = 0.0016;
/** @type {Record<string, Pair>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, number>} */
const FACTORS = { "+": KEY_FACTOR, "=": KEY_FACTOR, "-": 1 / KEY_FACTOR };

export class FinishStage {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {object} calls
   * @param {() => Partial<Options>} calls.options the options of a rendering
   * @param {(recipe: Record<string, unknown>) => Promise<Blob>} calls.render called for a layer at screen size
   * @param {() => void} calls.onMove called with every step of a drag
   * @param {(key: string) => void} calls.onStep called after a change; steps with the same key are undone together
   * @param {() => void} calls.onBehind called when the background picture has been loaded or rendered
   * @param {(error: unknown) => void} calls.onError called with null when a rendering succeeds again
   */
  constructor(state, { options, render, onMove, onStep, onBehind, onError }) {
    this.state = state;
    this.options = options;
    this.onMove = onMove;
    this.onStep = onStep;
    this.onBehind = onBehind;
    this.onError = onError;
    this.element = byId("finish-stage");
    this.canvas = byId("finish-canvas");
    this.back = byId("finish-back");
    this.picture = byId("finish-picture", HTMLImageElement);
    this.layer = byId("finish-layer", HTMLImageElement);
    /** The layer that a drag moves. @type {"subject" | "background"} */
    this.moves = "subject";
    /** The hand that the layer was rendered for. @type {Hand} */
    this.rendered = { zoom: 1, shift: [0, 0] };
    this.isCropped = false;
    this.blurred = "";
    this.strokes = state.strokes;
    this.strokesNumber = 0;
    this.hasMoved = false;
    /** Where each pointer is, in window pixels. @type {Map<number, Pair>} */
    this.pointers = new Map();
    const get = (/** @type {LayerWish} */ { recipe }) => render(recipe);
    this.subject = new Following({ get, show: (blob, wish) => this.#showLayer(blob, wish), onError });
    this.blur = new Following({ get, show: (blob) => this.#showBlur(blob), onError });
    this.#wirePointers();
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.picture.addEventListener("load", () => {
      this.refresh();
      this.onBehind();
    });
    this.picture.addEventListener("error", () =>
      onError(new Error(gettext("The background picture is not there any more. Choose another one."))),
    );
  }

  get isShown() {
    return !this.element.hidden;
  }

  /**
   * @param {boolean} isVisible
   * @param {boolean} [isEditable] whether it can be moved
   */
  show(isVisible, isEditable = false) {
    this.element.hidden = !isVisible;
    this.canvas.classList.toggle("is-editable", isEditable);
    this.refresh();
  }

  /** Show the state's finish, and request the layers that must be rendered. */
  refresh() {
    const image = shownImage(this.state);
    if (image.status !== "succeeded") return;
    const { finish } = this.state;
    const [width, height] = this.shape;
    this.canvas.style.setProperty("--ratio", String(width / height));
    this.#showBack();
    this.#placeLayer();
    if (finish.background?.type === "blur") this.#want(this.blur, blurRecipe(finish));
    if (this.isShown) this.#want(this.subject, subjectRecipe(finish));
  }

  /** @returns {Pair} the canvas's width and height, in any unit */
  get shape() {
    return canvasShape(this.state.finish, this.options().crop ? this.#croppedSize : this.#photoSize);
  }

  /** @returns {Pair} */
  get #photoSize() {
    const { width, height } = shownImage(this.state);
    return [width ?? 1, height ?? 1];
  }

  // The server crops by the edited outline, so the last rendering's size is more exact than the first result's.
  get #croppedSize() {
    const { naturalWidth, naturalHeight } = this.layer;
    if (this.isCropped && naturalWidth) return /** @type {Pair} */ ([naturalWidth, naturalHeight]);
    const frame = cropFrame(shownImage(this.state).foreground, this.options(), this.#photoSize);
    return frame ? /** @type {Pair} */ ([frame[2] - frame[0], frame[3] - frame[1]]) : this.#photoSize;
  }

  /** @returns {Pair} the size of the background picture */
  get pictureSize() {
    return [this.picture.naturalWidth || 1, this.picture.naturalHeight || 1];
  }

  /**
   * Return the CSS background that represents the finish behind the cutout in the photo's own frame; "" for a colour.
   * @returns {string}
   */
  behindPhoto() {
    const { background } = this.state.finish;
    if (background?.type === "gradient") return gradientCss(background, this.#photoSize);
    if (background?.type === "blur") return this.blurred ? `url("${this.blurred}") center / cover` : "";
    if (background?.type !== "picture" || !this.picture.naturalWidth) return "";
    const frame = pictureFrame(this.pictureSize, this.#photoSize, background);
    const place = (/** @type {number} */ start, /** @type {number} */ length) =>
      `${length === 1 ? 0 : (start / (1 - length)) * 100}%`;
    const size = `${frame.width * 100}% ${frame.height * 100}%`;
    return `url("${this.picture.src}") ${place(frame.left, frame.width)} ${place(frame.top, frame.height)} / ${size}`;
  }

  /**
   * @param {Following<LayerWish, Blob>} layer
   * @param {Record<string, unknown>} recipe
   */
  #want(layer, recipe) {
    const { finish } = this.state;
    const isCropped = Boolean(this.options().crop) && isFramed(finish.canvas);
    layer.want(JSON.stringify([this.#cutoutKey(), recipe]), { recipe, hand: handOf(finish), isCropped });
  }

  // There can be many strokes, so they are compared by the identity of their list.
  #cutoutKey() {
    const { state } = this;
    if (state.strokes !== this.strokes) {
      this.strokes = state.strokes;
      this.strokesNumber += 1;
    }
    return [state.job.id, state.imageId, this.options(), keptPeople(state), this.strokesNumber];
  }

  /**
   * @param {Blob} blob
   * @param {LayerWish} wish
   */
  async #showLayer(blob, { hand, isCropped }) {
    const url = URL.createObjectURL(blob);
    const next = new Image();
    next.src = url;
    await next.decode();
    const before = this.layer.src;
    this.layer.src = url;
    this.rendered = hand;
    this.isCropped = isCropped;
    this.#placeLayer();
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
    this.onError(null);
  }

  /** @param {Blob} blob */
  #showBlur(blob) {
    if (this.blurred) URL.revokeObjectURL(this.blurred);
    this.blurred = URL.createObjectURL(blob);
    this.#showBack();
    this.onBehind();
  }

  #placeLayer() {
    const { scale, move } = layerMove(this.rendered, handOf(this.state.finish));
    this.layer.style.transform = `translate(${move[0] * 100}%, ${move[1] * 100}%) scale(${scale})`;
  }

  #showBack() {
    const { background } = this.state.finish;
    const color = background ? null : this.options().background;
    this.back.classList.toggle("checkerboard", !background && !color);
    this.back.style.background = color ?? "";
    if (background?.type === "gradient") this.back.style.background = gradientCss(background, this.shape);
    if (background?.type === "blur" && this.blurred) {
      this.back.style.background = `url("${this.blurred}") center / 100% 100%`;
    }
    this.picture.hidden = background?.type !== "picture";
    if (background?.type === "picture") this.#showPicture(background);
  }

  /** @param {Picture} background */
  #showPicture(background) {
    const url = `/api/backgrounds/${encodeURIComponent(background.picture)}/`;
    if (this.picture.getAttribute("src") !== url) this.picture.src = url;
    const { left, top, width, height } = pictureFrame(this.pictureSize, this.shape, background);
    const percent = (/** @type {number} */ share) => `${share * 100}%`;
    const place = { left: percent(left), top: percent(top), width: percent(width), height: percent(height) };
    Object.assign(this.picture.style, place);
  }

  #wirePointers() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button > 0 || !canvas.classList.contains("is-editable")) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel"])) {
      canvas.addEventListener(kind, (event) => {
        this.pointers.delete(event.pointerId);
        if (this.pointers.size || !this.hasMoved) return;
        this.hasMoved = false;
        this.onStep("");
      });
    }
    this.element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        event.stopPropagation();
        if (!canvas.classList.contains("is-editable")) return;
        this.enlarge(Math.exp(-event.deltaY * WHEEL_STEP), this.#at([event.clientX, event.clientY]));
        this.onStep("finish-wheel");
      },
      { passive: false },
    );
  }

  /** @param {PointerEvent} event */
  #drag({ pointerId, clientX, clientY }) {
    const before = this.pointers.get(pointerId);
    if (!before) return;
    const fingers = [...this.pointers.values()];
    this.pointers.set(pointerId, [clientX, clientY]);
    this.hasMoved = true;
    if (fingers.length !== 2) {
      this.#move(this.#share([clientX - before[0], clientY - before[1]]));
      return;
    }
    const now = [...this.pointers.values()];
    const { from, to, factor } = pinchBetween([fingers[0], fingers[1]], [now[0], now[1]]);
    this.#move(this.#share([to[0] - from[0], to[1] - from[1]]));
    this.enlarge(factor, this.#at(to));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.canvas.classList.contains("is-editable") || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const factor = FACTORS[event.key];
    if (!arrow && !factor) return;
    event.preventDefault();
    event.stopPropagation();
    const step = NUDGE * (event.shiftKey ? NUDGES_WITH_SHIFT : 1);
    if (arrow) this.#move([arrow[0] * step, arrow[1] * step]);
    else this.enlarge(factor);
    this.onStep("finish-keys");
  }

  /** @returns {Picture | null} the background picture, if a drag moves it */
  get movedPicture() {
    const { background } = this.state.finish;
    return this.moves === "background" && background?.type === "picture" ? background : null;
  }

  /** @param {Pair} by */
  #move(by) {
    const { state, movedPicture: picture } = this;
    if (picture) {
      const view = pictureMoved(picture, this.pictureSize, this.shape, by);
      state.finish = { ...state.finish, background: { ...picture, ...view } };
    } else {
      state.finish = withHand(state.finish, moved(handOf(state.finish), by));
    }
    this.refresh();
    this.onMove();
  }

  /**
   * Enlarge the subject, or the background if a drag moves it.
   * @param {number} factor
   * @param {Pair} [at] the fixed point, relative to the canvas's middle; by default the middle of the enlarged layer
   */
  enlarge(factor, at) {
    const { state, movedPicture: picture } = this;
    if (picture) {
      const view = pictureEnlarged(picture, this.pictureSize, this.shape, factor, at);
      state.finish = { ...state.finish, background: { ...picture, ...view } };
    } else {
      state.finish = withHand(state.finish, enlarged(handOf(state.finish), factor, at));
    }
    this.refresh();
    this.onMove();
  }

  /**
   * @param {Pair} pixels of the window
   * @returns {Pair} shares of the canvas
   */
  #share([dx, dy]) {
    const { width, height } = this.canvas.getBoundingClientRect();
    return [dx / (width || 1), dy / (height || 1)];
  }

  /**
   * @param {Pair} point of the window
   * @returns {Pair} from the canvas's middle, as shares of it
   */
  #at([x, y]) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return this.#share([x - left - width / 2, y - top - height / 2]);
  }
}

/**
 * @param {import("./finish_recipe.js").Gradient} gradient
 * @param {Pair} shape of the filled area
 * @returns {string}
 */
function gradientCss({ start, end, angle }, shape) {
  return `linear-gradient(${cssAngle(angle, shape)}deg, ${start}, ${end})`;
}
