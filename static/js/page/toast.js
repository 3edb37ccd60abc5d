// Short messages in the corner of the page.
import { byId, create } from "./elements.js";

const SHOWN_MS = 6000;

/**
 * Show a message for a few seconds, with a button where an action is given.
 * @param {string} text
 * @param {{ action?: string, onAction?: () => void }} [options]
 */
export function toast(text, { action = "", onAction = () => {} } = {}) {
  const item = create("div", { className: "toast" }, create("span", { textContent: text }));
  if (action) {
    const button = create("button", { type: "button", textContent: action });
    button.addEventListener("click", () => {
      item.remove();
      onAction();
    });
    item.append(button);
  }
  byId("toasts").append(item);
  setTimeout(() => item.remove(), SHOWN_MS);
}
