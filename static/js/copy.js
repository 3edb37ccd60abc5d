// Copy buttons, and questions before what cannot be undone.
document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  button.lastChild.textContent = ` ${button.dataset.copied}`;
}));
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.sure;
  if (question && !window.confirm(question)) event.preventDefault();
});
