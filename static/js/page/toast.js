// Short messages in the corner of the page.
import { byId, create } from "./elements.js";
import { fill, gettext } from "./texts.js";

const SHOWN_MS = 6000;
const UNDO_SECONDS = 8;

/**
 * Show a message for a few seconds, with a button if an action is given.
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

/**
 * Show a message about an action with a button that undoes it and counts down; Ctrl+Z undoes it too.
 * @param {string} text
 * @param {object} calls
 * @param {() => void} calls.onUndo
 * @param {(isLeaving: boolean) => void} calls.onEnd called once when the action can no longer be undone: the time is
 *   over, or the page is left
 */
export function toastWithUndo(text, { onUndo, onEnd }) {
  const button = create("button", { type: "button" });
  const item = create("div", { className: "toast" }, create("span", { textContent: text }), button);
  const ending = new AbortController();
  let left = UNDO_SECONDS;
  const show = () => {
    button.textContent = fill(gettext("Undo ({seconds})"), { seconds: left });
  };
  const end = () => {
    clearInterval(timer);
    ending.abort();
    item.remove();
  };
  const timer = setInterval(() => {
    left -= 1;
    show();
    if (left > 0) return;
    end();
    onEnd(false);
  }, 1000);
  const undo = () => {
    end();
    onUndo();
  };
  const { signal } = ending;
  button.addEventListener("click", undo, { signal });
  window.addEventListener(
    "pagehide",
    () => {
      end();
      onEnd(true);
    },
    { signal },
  );
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey) undo();
    },
    { signal },
  );
  show();
  byId("toasts").append(item);
}
