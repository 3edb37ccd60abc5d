// Runs before the first paint, so that a chosen theme never flashes; the menu's buttons are wired once they exist.
const THEME_KEY = "keyline-theme";

function applyTheme(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function storedTheme() {
  try { return localStorage.getItem(THEME_KEY) || "auto"; } catch { return "auto"; }
}

applyTheme(storedTheme());

document.addEventListener("DOMContentLoaded", () => {
  const buttons = document.querySelectorAll("[data-theme-value]");
  const mark = () => buttons.forEach((button) => button.toggleAttribute("aria-current", button.dataset.themeValue === storedTheme()));
  buttons.forEach((button) => button.addEventListener("click", () => {
    try { localStorage.setItem(THEME_KEY, button.dataset.themeValue); } catch { /* a private window: this page only */ }
    applyTheme(button.dataset.themeValue);
    mark();
  }));
  mark();
  // One menu at a time, closed by Escape and by a click elsewhere.
  const menus = document.querySelectorAll("details.menu");
  document.addEventListener("click", (event) => menus.forEach((menu) => menu.contains(event.target) || (menu.open = false)));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus.forEach((menu) => { if (menu.open) { menu.open = false; menu.querySelector("summary").focus(); } });
  });
});
