// The gallery: choose many pictures; the buttons are ordinary submits of one form.
import { confirmSubmits } from "./page/confirm.js";
import { byId } from "./page/elements.js";
import { spanOf } from "./page/span.js";
import { fill, gettext } from "./page/texts.js";

const form = document.getElementById("selection");

/** @returns {HTMLInputElement[]} the check boxes of all pictures */
function boxes() {
  return [...document.querySelectorAll(".pick")].filter((box) => box instanceof HTMLInputElement);
}

/** @returns {HTMLInputElement[]} the ticked pictures, those of pages that came later included */
function chosen() {
  return boxes().filter(({ checked }) => checked);
}

function refresh() {
  const count = chosen().length;
  byId("selection-bar").hidden = count === 0;
  byId("selection-count").textContent = fill(gettext("{count} selected"), { count });
}

if (form) {
  /** The picture that was ticked last: Shift ticks all from there. @type {HTMLInputElement | null} */
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.matches(".pick")) return;
    if (event.shiftKey && last) {
      for (const between of spanOf(boxes(), last, box)) between.checked = box.checked;
    }
    last = box;
    refresh();
  });
  form.addEventListener("change", refresh);
  byId("selection-all").addEventListener("click", () => {
    for (const box of boxes()) box.checked = true;
    refresh();
  });
  byId("selection-none").addEventListener("click", () => {
    for (const box of chosen()) box.checked = false;
    refresh();
  });
  confirmSubmits();
  refresh();
}
