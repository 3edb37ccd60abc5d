// The gallery: choose many pictures; the buttons are ordinary submits of one form.
import { confirmSubmits } from "./page/confirm.js";
import { byId } from "./page/elements.js";
import { fill, gettext } from "./page/texts.js";

const form = document.getElementById("selection");

/** @returns {HTMLInputElement[]} the ticked pictures, those of pages that came later included */
function chosen() {
  return [...document.querySelectorAll(".pick:checked")].filter((box) => box instanceof HTMLInputElement);
}

function refresh() {
  const count = chosen().length;
  byId("selection-bar").hidden = count === 0;
  byId("selection-count").textContent = fill(gettext("{count} selected"), { count });
}

if (form) {
  form.addEventListener("change", refresh);
  byId("selection-none").addEventListener("click", () => {
    for (const box of chosen()) box.checked = false;
    refresh();
  });
  confirmSubmits();
  refresh();
}
