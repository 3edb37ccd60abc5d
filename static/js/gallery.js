// Choosing many pictures in the gallery; the buttons are ordinary submits of one form.
const form = document.getElementById("selection");
const bar = document.getElementById("selection-bar");
const count = document.getElementById("selection-count");

function refresh() {
  const chosen = form.querySelectorAll(".pick:checked").length;
  bar.hidden = chosen === 0;
  count.textContent = count.dataset.text.replace("{count}", chosen);
}

if (form) {
  form.addEventListener("change", refresh);
  form.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.sure;
    if (question && !window.confirm(question)) event.preventDefault();
  });
  document.getElementById("selection-none").addEventListener("click", () => {
    form.querySelectorAll(".pick:checked").forEach((box) => { box.checked = false; });
    refresh();
  });
  refresh();
}
