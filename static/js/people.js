// The people that were found, as boxes to click on and off and as a list of check boxes.
const NAMESPACE = "http://www.w3.org/2000/svg";

export class People {
  constructor(svg, list, viewport, { label, nobody, onChange }) {
    Object.assign(this, { svg, list, viewport, label, nobody, onChange });
    this.people = null;
    this.dropped = new Set();
  }

  // Null when people were not looked for; `dropped` are the ids of those not to keep.
  set(people, dropped = []) {
    this.people = people;
    this.dropped = new Set(dropped);
    this.#fillList();
    if (this.#isOnStage) this.draw();
  }

  // The ids to keep; null while all are kept.
  get chosen() {
    if (!this.people || this.dropped.size === 0) return null;
    return this.people.map((person) => person.id).filter((number) => !this.dropped.has(number));
  }

  get #isOnStage() {
    return this.svg.closest(".stage").dataset.tool === "people";
  }

  draw() {
    const [width, height] = this.viewport.size;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...(this.people ?? []).map((person) => this.#group(person)));
    this.#mark();
  }

  #group(person) {
    const [left, top, right, bottom] = person.box;
    const group = document.createElementNS(NAMESPACE, "g");
    const area = document.createElementNS(NAMESPACE, "rect");
    for (const [name, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) area.setAttribute(name, value);
    area.classList.add("area");
    group.append(area);
    group.dataset.person = person.id;
    group.setAttribute("role", "checkbox");
    group.setAttribute("tabindex", "0");
    group.setAttribute("aria-label", `${this.label} ${person.id}`);
    group.addEventListener("click", () => this.#toggle(person.id));
    group.addEventListener("keydown", (event) => { if ([" ", "Enter"].includes(event.key)) { event.preventDefault(); this.#toggle(person.id); } });
    return group;
  }

  #toggle(number) {
    if (!this.dropped.delete(number)) this.dropped.add(number);
    this.#mark();
    this.onChange();
  }

  // Show who is kept on the elements that are there, so that the keyboard's focus stays where it is.
  #mark() {
    for (const group of this.svg.querySelectorAll("[data-person]")) {
      const kept = !this.dropped.has(Number(group.dataset.person));
      group.setAttribute("aria-checked", String(kept));
      group.classList.toggle("kept", kept);
      group.classList.toggle("dropped", !kept);
    }
    for (const input of this.list.querySelectorAll("input")) input.checked = !this.dropped.has(Number(input.value));
  }

  #fillList() {
    if (this.people?.length === 0) { this.list.replaceChildren(Object.assign(document.createElement("li"), { textContent: this.nobody })); return; }
    this.list.replaceChildren(...(this.people ?? []).map((person) => {
      const row = document.createElement("li");
      const check = Object.assign(document.createElement("label"), { className: "check" });
      const input = Object.assign(document.createElement("input"), { type: "checkbox", value: person.id });
      input.addEventListener("change", () => this.#toggle(person.id));
      check.append(input, ` ${this.label} ${person.id} (${Math.round(person.score * 100)} %)`);
      row.append(check);
      return row;
    }));
    this.#mark();
  }
}
