// The menus of every page: a click elsewhere and Escape close them. The list of shortcuts opens with a question mark.

/** @type {NodeListOf<HTMLDetailsElement>} */
const menus = document.querySelectorAll("details.menu");

document.addEventListener("click", ({ target }) => {
  for (const menu of menus) if (!(target instanceof Node && menu.contains(target))) menu.open = false;
});

document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const menu of menus) {
    if (!menu.open) continue;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

document.addEventListener("keydown", ({ key, target }) => {
  const sheet = document.getElementById("shortcuts");
  const isTyping = target instanceof Element && target.matches("input:not([type=range]), textarea, select");
  if (key !== "?" || isTyping || document.querySelector("dialog[open]")) return;
  if (sheet instanceof HTMLDialogElement) sheet.showModal();
});
