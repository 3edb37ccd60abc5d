// The found people: boxes to click on and off, and a list of check boxes. The ids of dropped people are in the
// editor's state.
import { peopleIn } from "../api/job.js";
import { create, createSvg } from "../page/elements.js";
import { gettext } from "../page/texts.js";
import { shownImage } from "./state.js";

/** @typedef {import("../api/job.js").Instance} Instance */

export class People {
  /**
   * @param {SVGSVGElement} svg
   * @param {HTMLElement} list
   * @param {import("./viewport.js").Viewport} viewport
   * @param {import("./state.js").EditorState} state
   * @param {{ onChange: () => void }} calls
   */
  constructor(svg, list, viewport, state, { onChange }) {
    this.svg = svg;
    this.list = list;
    this.viewport = viewport;
    this.state = state;
    this.onChange = onChange;
  }

  /** @returns {Instance[] | null} null when the job did not search for people */
  get people() {
    return peopleIn(this.state.job, shownImage(this.state));
  }

  /** Show the people of the job in the state. */
  show() {
    this.#fillList();
    if (this.state.tool === "people") this.draw();
  }

  draw() {
    const [width, height] = this.viewport.size;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...(this.people ?? []).map((person) => this.#group(person)));
    this.#mark();
  }

  /**
   * @param {Instance} person
   * @returns {SVGGElement}
   */
  #group({ id, box: [left, top, right, bottom] }) {
    const group = createSvg("g", { role: "checkbox", tabindex: 0, "aria-label": `${gettext("Person")} ${id}` });
    group.append(createSvg("rect", { class: "area", x: left, y: top, width: right - left, height: bottom - top }));
    group.dataset.person = String(id);
    group.addEventListener("click", () => this.#toggle(id));
    group.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      this.#toggle(id);
    });
    return group;
  }

  /** @param {number} id */
  #toggle(id) {
    const { dropped } = this.state;
    if (!dropped.delete(id)) dropped.add(id);
    this.#mark();
    this.onChange();
  }

  // Update the existing elements instead of replacing them, so that the keyboard's focus does not move.
  #mark() {
    const { dropped } = this.state;
    for (const group of this.svg.querySelectorAll("g[data-person]")) {
      if (!(group instanceof SVGElement)) continue;
      const isKept = !dropped.has(Number(group.dataset.person));
      group.setAttribute("aria-checked", String(isKept));
      group.classList.toggle("kept", isKept);
      group.classList.toggle("dropped", !isKept);
    }
    for (const input of this.list.querySelectorAll("input")) input.checked = !dropped.has(Number(input.value));
  }

  #fillList() {
    const { people } = this;
    if (people?.length === 0) {
      this.list.replaceChildren(create("li", {}, gettext("No people were found in this picture.")));
      return;
    }
    this.list.replaceChildren(...(people ?? []).map((person) => this.#row(person)));
    this.#mark();
  }

  /**
   * @param {Instance} person
   * @returns {HTMLLIElement}
   */
  #row({ id, score }) {
    const input = create("input", { type: "checkbox", value: String(id) });
    input.addEventListener("change", () => this.#toggle(id));
    const text = ` ${gettext("Person")} ${id} (${Math.round(score * 100)} %)`;
    return create("li", {}, create("label", { className: "check" }, input, text));
  }
}
