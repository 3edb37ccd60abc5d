// Keys and menus of every page: a click elsewhere and Escape close a menu, a question mark opens the list of shortcuts.

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

// Page Up and Page Down open the previous and the next picture, if the page has links to them.
document.addEventListener("keydown", (event) => {
  const rel = { PageUp: "prev", PageDown: "next" }[event.key];
  const link = rel && !document.querySelector("dialog[open]") && document.querySelector(`a[rel=${rel}]`);
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  link.click();
});

document.addEventListener("keydown", ({ key, target }) => {
  const sheet = document.getElementById("shortcuts");
  const isTyping = target instanceof Element && target.matches("input:not([type=range]), textarea, select");
  if (key !== "?" || isTyping || document.querySelector("dialog[open]")) return;
  if (sheet instanceof HTMLDialogElement) sheet.showModal();
});
