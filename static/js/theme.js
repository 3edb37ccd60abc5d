// The theme: applied before the first paint, so that no other theme flashes, and chosen in the bar's menu. A classic
// script, because modules run after the first paint.
const THEME_KEY = "keyline-theme";

/** @param {string} theme "light", "dark" or "auto" */
function applyTheme(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/** @returns {string} */
function storedTheme() {
  try {
    return localStorage.getItem(THEME_KEY) || "auto";
  } catch {
    return "auto";
  }
}

/** @param {string} theme */
function storeTheme(theme) {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // In a private window the choice is valid only for this page.
  }
}

function wireThemeButtons() {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll("button[data-theme-value]");
  const mark = () => {
    for (const button of buttons) {
      button.toggleAttribute("aria-current", button.dataset.themeValue === storedTheme());
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      storeTheme(button.dataset.themeValue ?? "auto");
      applyTheme(button.dataset.themeValue ?? "auto");
      mark();
    });
  }
  mark();
}

applyTheme(storedTheme());
document.addEventListener("DOMContentLoaded", wireThemeButtons);
