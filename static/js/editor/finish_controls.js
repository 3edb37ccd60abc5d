// The controls of the finish in the panel: canvas, size, background, shadow and outline.
import { call } from "../api/request.js";
import { byId, create, findAll } from "../page/elements.js";
import { enlarged } from "./finish_geometry.js";
import { handOf, isFinished, isFramed, noFinish, onCanvas, withHand } from "./finish_recipe.js";

/** @typedef {import("./finish_recipe.js").Background} Background */
/** @typedef {import("./finish_recipe.js").Canvas} Canvas */
/** @typedef {import("./finish_recipe.js").Finish} Finish */

const OWN_SIZE = "own";
const LONGEST_NAME = 60; // of a background picture, without the digits that distinguish files of the same name

export class FinishControls {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {object} calls
   * @param {() => void} calls.onChange called with every change
   * @param {(key: string) => void} calls.onStep called after a change; steps with the same key are undone together
   * @param {() => void} calls.onBackground called when another kind of background is chosen
   * @param {(moves: "subject" | "background") => void} calls.onMoves called with what a drag moves
   * @param {(work: Promise<void>) => Promise<void>} calls.during called with the upload of a picture
   */
  constructor(state, { onChange, onStep, onBackground, onMoves, during }) {
    this.state = state;
    this.onChange = onChange;
    this.onStep = onStep;
    this.onBackground = onBackground;
    this.onMoves = onMoves;
    this.during = during;
    this.canvas = byId("finish-canvas-size", HTMLSelectElement);
    this.stored = byId("finish-stored", HTMLSelectElement);
    this.file = byId("finish-file", HTMLInputElement);
    this.moves = "subject";
    this.isOwnSize = false;
    /** The last used background of each kind, to return to it. @type {Record<string, Background>} */
    this.last = {};
    for (const option of this.stored.options) option.textContent = pictureTitle(option.value);
    this.#wireCanvas();
    this.#wireBackground();
    this.#wireEffects();
    byId("finish-reset").addEventListener("click", () => this.#set(noFinish()));
    this.show();
  }

  /** Show the state's finish. */
  show() {
    const { finish } = this.state;
    this.#showCanvas(finish);
    this.#showBackground(finish.background);
    this.#showShadow(finish.shadow);
    this.#showOutline(finish.outline);
    byId("finish-reset", HTMLButtonElement).disabled = !isFinished(finish);
  }

  /** @param {Background | null} background */
  #showBackground(background) {
    const kind = background?.type;
    for (const button of findAll(document, "[data-behind]")) {
      button.setAttribute("aria-pressed", String(button.dataset.behind === kind));
    }
    for (const part of findAll(document, "[data-behind-part]")) part.hidden = part.dataset.behindPart !== kind;
    byId("finish-moves").hidden = kind !== "picture";
    if (kind !== "picture" && this.moves !== "subject") this.#chooseMoves("subject");
    if (!background) return;
    this.last[background.type] = background;
    if (background.type === "picture") this.#offer(background.picture);
    write(fieldsOf(background));
  }

  /** @param {Finish["shadow"]} shadow */
  #showShadow(shadow) {
    write({ "finish-shadow": shadow?.type ?? "" });
    if (shadow) write({ "finish-strength": shadow.strength, "finish-softness": shadow.softness });
    byId("finish-shadow-part").hidden = !shadow;
  }

  /** @param {Finish["outline"]} outline */
  #showOutline(outline) {
    write({ "finish-outline": Math.round((outline?.width ?? 0) * 1000) });
    if (outline) write({ "finish-outline-color": outline.color });
    byId("finish-outline-part").hidden = !outline;
  }

  /** @param {Finish} finish */
  #showCanvas({ canvas, placement }) {
    const { width_px: width = 0, height_px: height = 0 } = canvas;
    const value = canvas.aspect ?? (width ? `${width}x${height}` : "");
    const isListed = [...this.canvas.options].some((option) => option.value === value);
    if (value === "") this.isOwnSize = false;
    this.canvas.value = isListed && !this.isOwnSize ? value : OWN_SIZE;
    byId("finish-own").hidden = this.canvas.value !== OWN_SIZE;
    if (width) write({ "finish-width": width, "finish-height": height });
    write({ "finish-size": placement.zoom ?? 1 });
    byId("finish-place-reset", HTMLButtonElement).disabled = !placement.zoom && !placement.shift;
  }

  /**
   * @param {Finish} finish
   * @param {{ key?: string, isStep?: boolean }} [step]
   */
  #set(finish, { key = "", isStep = true } = {}) {
    this.state.finish = finish;
    this.show();
    this.onChange();
    if (isStep) this.onStep(key);
  }

  /**
   * Follow a field: every input is shown, and only the last one becomes a step of Undo.
   * @param {string} id
   * @param {(value: string) => Finish | null} change null for an invalid value
   */
  #follow(id, change) {
    const field = byId(id);
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) return;
    for (const kind of ["input", "change"]) {
      field.addEventListener(kind, () => {
        const finish = change(field.value);
        if (finish) this.#set(finish, { key: id, isStep: kind === "change" });
      });
    }
  }

  #wireCanvas() {
    const { state } = this;
    this.canvas.addEventListener("change", () => {
      const { value, selectedOptions } = this.canvas;
      this.isOwnSize = value === OWN_SIZE;
      const canvas = this.isOwnSize ? ownSize() : canvasOf(value);
      const fill = Number(selectedOptions[0]?.dataset.fill) || undefined;
      this.#set(canvas ? onCanvas(state.finish, canvas, fill) : state.finish);
    });
    for (const id of ["finish-width", "finish-height"]) {
      byId(id).addEventListener("change", () => {
        const canvas = ownSize();
        if (!canvas) return;
        this.isOwnSize = true;
        const isNew = isFramed(state.finish.canvas);
        this.#set(isNew ? onCanvas(state.finish, canvas) : { ...state.finish, canvas }, { key: id });
      });
    }
    this.#follow("finish-size", (value) => {
      const hand = handOf(state.finish);
      return withHand(state.finish, enlarged(hand, Number(value) / hand.zoom));
    });
    byId("finish-place-reset").addEventListener("click", () =>
      this.#set(withHand(state.finish, { zoom: 1, shift: [0, 0] })),
    );
    for (const button of findAll(byId("finish-moves"), "[data-moves]")) {
      button.addEventListener("click", () =>
        this.#chooseMoves(button.dataset.moves === "background" ? "background" : "subject"),
      );
    }
  }

  /** @param {"subject" | "background"} moves */
  #chooseMoves(moves) {
    this.moves = moves;
    for (const button of findAll(byId("finish-moves"), "[data-moves]")) {
      button.setAttribute("aria-pressed", String(button.dataset.moves === moves));
    }
    this.onMoves(moves);
  }

  #wireBackground() {
    for (const button of findAll(document, "[data-behind]")) {
      button.addEventListener("click", () => {
        const kind = button.dataset.behind ?? "";
        if (this.state.finish.background?.type === kind) this.#setBackground(null);
        else if (kind === "picture" && !this.last.picture) this.file.click();
        else this.#setBackground(this.last[kind] ?? defaultBackground(kind), { isNew: true });
      });
    }
    for (const [id, name] of [
      ["finish-start", "start"],
      ["finish-end", "end"],
    ]) {
      this.#follow(id, (value) => this.#changed("gradient", { [name]: value }));
    }
    this.#follow("finish-angle", (value) => this.#changed("gradient", { angle: Number(value) % 360 }));
    this.#follow("finish-blur", (value) => this.#changed("blur", { strength: Number(value) }));
    this.#follow("finish-zoom", (value) => this.#changed("picture", { zoom: Number(value) }));
    this.stored.addEventListener("change", () => this.#choosePicture(this.stored.value));
    byId("finish-choose").addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => {
      const chosen = this.file.files?.[0];
      this.file.value = "";
      if (chosen) void this.during(this.#send(chosen));
    });
  }

  /**
   * @param {Background | null} background
   * @param {{ isNew?: boolean }} [use]
   */
  #setBackground(background, { isNew = false } = {}) {
    this.#set({ ...this.state.finish, background });
    if (isNew) this.onBackground();
  }

  /**
   * @param {string} kind
   * @param {Record<string, unknown>} values
   * @returns {Finish | null}
   */
  #changed(kind, values) {
    const { finish } = this.state;
    if (finish.background?.type !== kind) return null;
    return { ...finish, background: /** @type {Background} */ ({ ...finish.background, ...values }) };
  }

  /** @param {string} picture the name of a stored picture */
  #choosePicture(picture) {
    if (!picture) return;
    this.#setBackground({ type: "picture", picture, focus: [0.5, 0.5], zoom: 1 }, { isNew: true });
    this.#chooseMoves("background");
  }

  /**
   * Store a picture with the team's backgrounds, so that versions can refer to it, and show it.
   * @param {File} file
   */
  async #send(file) {
    const name = backgroundName(file);
    const form = new FormData();
    form.append("name", name);
    form.append("image", file, file.name);
    await call("POST", "/api/backgrounds/", { form });
    this.#choosePicture(name);
  }

  /** @param {string} name of a stored picture that the list should contain */
  #offer(name) {
    if ([...this.stored.options].some((option) => option.value === name)) return;
    this.stored.append(create("option", { value: name, textContent: pictureTitle(name) }));
  }

  #wireEffects() {
    const { state } = this;
    byId("finish-shadow", HTMLSelectElement).addEventListener("change", ({ target }) => {
      const type = target instanceof HTMLSelectElement ? target.value : "";
      const { strength = 0.45, softness = 0.4 } = state.finish.shadow ?? {};
      const shadow = /** @type {Finish["shadow"]} */ (type ? { type, strength, softness } : null);
      this.#set({ ...state.finish, shadow });
    });
    for (const [id, name] of [
      ["finish-strength", "strength"],
      ["finish-softness", "softness"],
    ]) {
      this.#follow(id, (value) => {
        const { shadow } = state.finish;
        return shadow && { ...state.finish, shadow: { ...shadow, [name]: Number(value) } };
      });
    }
    this.#follow("finish-outline", (value) => {
      const color = byId("finish-outline-color", HTMLInputElement).value;
      const width = Number(value) / 1000;
      return { ...state.finish, outline: width ? { width, color } : null };
    });
    this.#follow("finish-outline-color", (color) => {
      const { outline } = state.finish;
      return outline && { ...state.finish, outline: { ...outline, color } };
    });
  }
}

/**
 * Return the values of a background's fields, by the fields' ids.
 * @param {Background} background
 * @returns {Record<string, string | number>}
 */
function fieldsOf(background) {
  if (background.type === "blur") return { "finish-blur": background.strength };
  if (background.type === "picture") return { "finish-stored": background.picture, "finish-zoom": background.zoom };
  const { start, end, angle } = background;
  return { "finish-start": start, "finish-end": end, "finish-angle": angle };
}

/**
 * @param {Record<string, string | number>} values by the fields' ids
 */
function write(values) {
  for (const [id, value] of Object.entries(values)) {
    const field = byId(id);
    const isField = field instanceof HTMLInputElement || field instanceof HTMLSelectElement;
    if (isField && field.value !== String(value)) field.value = String(value);
  }
}

/**
 * Return the canvas of an entry of the list: "" for the photo's frame, W:H for a shape, WxH for pixels.
 * @param {string} value
 * @returns {Canvas}
 */
export function canvasOf(value) {
  const [width, height] = value.split("x").map(Number);
  if (height) return { width_px: width, height_px: height };
  return value ? { aspect: value } : {};
}

/** @returns {Canvas | null} the entered size, null if it is invalid */
function ownSize() {
  const width = byId("finish-width", HTMLInputElement);
  const height = byId("finish-height", HTMLInputElement);
  if (!width.reportValidity() || !height.reportValidity()) return null;
  return { width_px: Number(width.value), height_px: Number(height.value) };
}

/**
 * @param {string} kind
 * @returns {Background}
 */
function defaultBackground(kind) {
  if (kind === "gradient") return { type: "gradient", start: "#ffffff", end: "#d9dde3", angle: 0 };
  return { type: "blur", strength: 0.02 };
}

/**
 * Return the name under which a background picture is stored; it is the same for the same file.
 * @param {{ name: string, size: number, lastModified: number }} file
 * @returns {string}
 */
export function backgroundName({ name, size, lastModified }) {
  const stem = name.replace(/\.[^.]+$/, "").replace(/[^\p{L}\p{N} _-]+/gu, "-");
  return `${stem.slice(0, LONGEST_NAME) || "picture"} ${size.toString(36)}-${lastModified.toString(36)}`;
}

/**
 * Return the title of a background picture in a list: its name without the digits of its file.
 * @param {string} name
 * @returns {string}
 */
export function pictureTitle(name) {
  return name.replace(/ [0-9a-z]+-[0-9a-z]+$/, "");
}
