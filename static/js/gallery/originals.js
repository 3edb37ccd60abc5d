// Shows the original over its result while the pointer or the focus is on it. It is loaded when it is first shown.
import { create } from "../page/elements.js";

/**
 * Wire all pictures below a root, including those that are added later.
 * @param {HTMLElement} root
 */
export function showOriginals(root) {
  for (const name of ["pointerover", "focusin"]) {
    root.addEventListener(name, (event) => {
      if (!(event.target instanceof Element)) return;
      const frame = event.target.closest(".thumb > a")?.querySelector("[data-original]");
      if (frame instanceof HTMLElement) addOriginal(frame);
    });
  }
}

/** @param {HTMLElement} frame */
function addOriginal(frame) {
  if (frame.querySelector(".original")) return;
  const image = create("img", { className: "original", alt: "", src: frame.dataset.original ?? "" });
  image.addEventListener("load", () => image.classList.add("is-loaded"));
  frame.append(image);
}
