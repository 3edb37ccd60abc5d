// The welcome page: a chosen or dropped photo is sent immediately. Without this script the form has a button.
import { byId, find } from "./page/elements.js";

const form = byId("trial", HTMLFormElement);
const file = byId("trial-file", HTMLInputElement);
const drop = find(form, ".trial-drop");

function send() {
  if (!file.files?.length) return;
  form.classList.add("is-sending");
  form.requestSubmit();
}

byId("trial-go").hidden = true;
file.addEventListener("change", send);
for (const kind of ["dragover", "dragleave", "drop"]) {
  window.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("is-over", kind === "dragover");
  });
}
window.addEventListener("drop", ({ dataTransfer }) => {
  if (!dataTransfer?.files.length) return;
  file.files = dataTransfer.files;
  send();
});
