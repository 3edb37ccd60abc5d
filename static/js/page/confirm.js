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

/**
 * Ask before the submit of each button with a question. Such a button has the type `button`, so that it does nothing
 * until this script is there; it becomes a submit button for the confirmed submit only.
 */
export function confirmSubmits() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-sure]") : null;
    if (!(button instanceof HTMLButtonElement)) return;
    const question = button.dataset.sure ?? "";
    void ask(question, button.textContent?.trim() || question).then((isSure) => {
      if (!isSure) return;
      button.type = "submit";
      button.form?.requestSubmit(button);
      setTimeout(() => (button.type = "button"));
    });
  });
}
