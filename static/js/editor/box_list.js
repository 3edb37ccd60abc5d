// The list of boxes in the panel, each with a button that removes it.
import { create } from "../page/elements.js";
import { gettext } from "../page/texts.js";

/**
 * Fill the list.
 * @param {HTMLElement} list
 * @param {import("../api/job.js").Box[]} boxes
 * @param {(index: number) => void} onRemove
 */
export function fillBoxList(list, boxes, onRemove) {
  list.replaceChildren(
    ...boxes.map(([left, top, right, bottom], index) => {
      const button = create("button", { type: "button", className: "button plain small", textContent: "×" });
      button.setAttribute("aria-label", `${gettext("Remove")} ${gettext("Box")} ${index + 1}`);
      button.addEventListener("click", () => onRemove(index));
      return create("li", {}, `${index + 1}. ${left}, ${top} – ${right}, ${bottom}`, button);
    }),
  );
}
