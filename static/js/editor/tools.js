// The tools of the editor: the current one, and the buttons of each.
import { peopleIn } from "../api/job.js";
import { followDrag } from "../page/drag.js";
import { byId, find, findAll, targetOf } from "../page/elements.js";
import { shownImage } from "./state.js";

/** @typedef {import("./state.js").Tool} Tool */

const WITH_PART = ["points", "boxes", "people", "brush", "finish"]; // tools with a panel part and a hint
const ZOOM_STEP = 1.4;
const BRUSH_STEP = 1.15;
const CHECKERS = ["", "light", "dark", "colour"];

/**
 * @typedef {object} ToolParts
 * @property {import("./stage.js").Stage} stage
 * @property {import("./viewport.js").Viewport} viewport
 * @property {import("./boxes.js").BoxEditor} boxes
 * @property {import("./points.js").Points} points
 * @property {import("./people.js").People} people
 * @property {import("./brush.js").Brush} brush
 */

export class Tools {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {ToolParts} parts
   * @param {{ undo: () => void, redo: () => void, onUse: (tool: Tool) => void }} calls
   */
  constructor(state, parts, { undo, redo, onUse }) {
    this.state = state;
    this.parts = parts;
    this.undo = undo;
    this.redo = redo;
    this.onUse = onUse;
    this.#wireKeys();
    this.#wirePoints();
    this.#wireStage();
    this.#wireZoom();
    this.#wireBoxes();
    this.#wireBrush();
  }

  /** @param {Tool} tool */
  use(tool) {
    const { stage, viewport } = this.parts;
    this.state.tool = tool;
    stage.element.dataset.tool = tool;
    for (const button of findAll(byId("tools"), "button")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
    for (const part of WITH_PART) {
      byId(`part-${part}`).hidden = part !== tool;
      byId(`hint-${part}`).hidden = part !== tool;
    }
    this.showPeoplePart();
    byId("pane-second").hidden = tool !== "side";
    viewport.fit();
    this.draw();
    this.onUse(tool);
  }

  /** Draw the current tool's marks over the picture. */
  draw() {
    if (this.state.tool === "points") this.parts.points.draw();
    if (this.state.tool === "boxes") this.parts.boxes.draw();
    if (this.state.tool === "people") this.parts.people.draw();
  }

  /** Show the button that finds people; after the search, show the hint if people were found. */
  showPeoplePart() {
    const people = peopleIn(this.state.job, shownImage(this.state));
    this.parts.stage.show(byId("people-wish"), people === null);
    byId("hint-people").hidden = !people?.length || this.state.tool !== "people";
  }

  // The Finish tool moves the layers of its canvas, not the view.
  get #isOnCanvas() {
    return this.state.tool === "finish";
  }

  #wireStage() {
    const { stage, viewport } = this.parts;
    byId("tools").addEventListener("click", (event) => {
      const button = targetOf(event).closest("[data-tool]");
      if (button instanceof HTMLElement) this.use(/** @type {Tool} */ (button.dataset.tool));
    });
    for (const kind of /** @type {const} */ (["pointerdown", "pointermove", "pointerup", "pointercancel"])) {
      stage.element.addEventListener(kind, (event) => this.#isOnCanvas || viewport.pinch(event), true);
    }
    stage.element.addEventListener(
      "pointerdown",
      (event) => {
        if (!stage.element.classList.contains("panning") || this.#isOnCanvas) return;
        event.preventDefault();
        event.stopPropagation();
        followDrag(event, (dx, dy) => viewport.panBy(dx, dy));
      },
      true,
    );
    stage.element.addEventListener("pointerdown", (event) => {
      const isPan = event.button === 1 || this.state.tool === "side";
      if (!isPan || viewport.pointers.size > 1) return;
      event.preventDefault();
      followDrag(event, (dx, dy) => viewport.panBy(dx, dy));
    });
  }

  // Keys for the whole page, except while a field or a button that uses them has the focus.
  #wireKeys() {
    document.addEventListener("keydown", (event) => {
      if (isTyping(event) || document.querySelector("dialog[open]")) return;
      const act = this.#actionOf(event);
      if (!act) return;
      event.preventDefault();
      act();
    });
    document.addEventListener("keyup", ({ key }) => {
      if (key === " ") this.parts.stage.element.classList.remove("panning");
    });
    byId("undo").addEventListener("click", () => this.undo());
    byId("redo").addEventListener("click", () => this.redo());
  }

  /**
   * Return the action of a key; null for other keys.
   * @param {KeyboardEvent} event
   * @returns {(() => void) | null}
   */
  #actionOf(event) {
    const { key, shiftKey } = event;
    const { brush, stage } = this.parts;
    const size = byId("brush-size", HTMLInputElement);
    if (event.ctrlKey || event.metaKey) {
      const letter = key.toLowerCase();
      if (letter === "y" || (letter === "z" && shiftKey)) return () => this.redo();
      return letter === "z" ? () => this.undo() : null;
    }
    if (key === "[") return () => brush.resize(1 / BRUSH_STEP, size);
    if (key === "]") return () => brush.resize(BRUSH_STEP, size);
    const isUsed = targetOf(event).closest("a, button, summary, input, [role]");
    return key === " " && !isUsed ? () => stage.element.classList.add("panning") : null;
  }

  #wirePoints() {
    byId("points-clear").addEventListener("click", () => this.parts.points.clear());
    const afresh = byId("points-afresh", HTMLInputElement);
    afresh.addEventListener("change", () => {
      this.state.startsAfresh = afresh.checked;
    });
  }

  #wireZoom() {
    const { viewport } = this.parts;
    byId("zoom-in").addEventListener("click", () => viewport.zoomBy(ZOOM_STEP));
    byId("zoom-out").addEventListener("click", () => viewport.zoomBy(1 / ZOOM_STEP));
    byId("zoom-fit").addEventListener("click", () => viewport.fit());
    byId("checker").addEventListener("click", () => {
      const { dataset } = this.parts.stage.element;
      dataset.checker = CHECKERS[(CHECKERS.indexOf(dataset.checker ?? "") + 1) % CHECKERS.length];
    });
  }

  #wireBoxes() {
    const { boxes } = this.parts;
    byId("box-add").addEventListener("click", () => boxes.add());
    byId("box-clear").addEventListener("click", () => boxes.clear());
  }

  #wireBrush() {
    const { state } = this;
    const { brush } = this.parts;
    const size = byId("brush-size", HTMLInputElement);
    size.addEventListener("input", () => {
      state.brush.sizePx = Number(size.value);
    });
    const hardness = byId("brush-hardness", HTMLInputElement);
    hardness.addEventListener("input", () => {
      state.brush.hardness = Number(hardness.value) / 100;
    });
    byId("brush-clear").addEventListener("click", () => brush.clear());
    const part = find(document, "#part-brush");
    for (const button of findAll(part, "[data-brush]")) {
      button.addEventListener("click", () => {
        state.brush.mode = button.dataset.brush === "restore" ? "restore" : "erase";
        this.parts.stage.element.dataset.brush = state.brush.mode;
        for (const other of findAll(part, "[data-brush]")) {
          other.setAttribute("aria-pressed", String(other === button));
        }
      });
    }
  }
}

/**
 * Return whether a text field receives the key.
 * @param {KeyboardEvent} event
 * @returns {boolean}
 */
function isTyping(event) {
  const target = targetOf(event);
  return target.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio], [type=color])");
}
