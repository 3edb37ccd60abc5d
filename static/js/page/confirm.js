// Confirmation of actions that cannot be undone, in a dialog. The button's `data-sure` contains the question.
import { create } from "./elements.js";
import { gettext } from "./texts.js";

/**
 * Show a question and return whether the user confirmed it. Escape and Cancel do not confirm.
 * @param {string} question
 * @param {string} action the label of the button that confirms
 * @returns {Promise<boolean>}
 */
export function ask(question, action) {
  const confirm = create("button", { className: "button loud danger", value: "yes", textContent: action });
  const cancel = create("button", { className: "button plain", value: "", textContent: gettext("Cancel") });
  const text = create("h2", { id: "question", textContent: question });
  const form = create("form", { method: "dialog", className: "stack" }, text);
  form.append(create("div", { className: "row" }, confirm, cancel));
  const dialog = create("dialog", { className: "dialog" }, form);
  dialog.setAttribute("aria-labelledby", "question");
  document.body.append(dialog);
  dialog.showModal();
  cancel.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
  });
}

/** Ask before every submit whose button has a question; continue the submit when it is confirmed. */
export function confirmSubmits() {
  /** @type {WeakSet<HTMLElement>} */
  const confirmed = new WeakSet();
  document.addEventListener("submit", (event) => {
    const { submitter, target } = event;
    const question = submitter?.dataset.sure;
    if (!submitter || !question || confirmed.has(submitter) || !(target instanceof HTMLFormElement)) return;
    event.preventDefault();
    void ask(question, submitter.textContent?.trim() || question).then((isSure) => {
      if (!isSure) return;
      confirmed.add(submitter);
      target.requestSubmit(submitter);
    });
  });
}
