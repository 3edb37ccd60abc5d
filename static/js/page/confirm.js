// Ask before a button submits what cannot be undone. The question stands in the button's `data-sure`.

/** Ask before every submit whose button has a question. */
export function confirmSubmits() {
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.sure;
    if (question && !window.confirm(question)) event.preventDefault();
  });
}
