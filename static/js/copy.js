// Copy buttons, and questions before what cannot be undone.
import { copyText } from "./clipboard.js";

document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
  const shown = document.querySelector(button.dataset.copy);
  const isCopied = await copyText(shown.textContent);
  if (!isCopied) window.getSelection().selectAllChildren(shown);
  button.lastChild.textContent = ` ${isCopied ? button.dataset.copied : button.dataset.byHand}`;
}));
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.sure;
  if (question && !window.confirm(question)) event.preventDefault();
});
