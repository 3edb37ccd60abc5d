// What the admin's theme leaves out for assistive technology: landmarks, and names of fields.

/**
 * Return the name of a field: its label, or the heading of its column.
 * @param {HTMLElement} field
 */
function nameOf(field) {
  const label = document.querySelector(`label[for="${CSS.escape(field.id)}"]`);
  const cell = field.closest("td");
  const heading = cell?.closest("table")?.tHead?.rows[0]?.cells[cell.cellIndex];
  return (label ?? heading)?.textContent?.trim() ?? "";
}

function landmarksName() {
  document.getElementById("main")?.setAttribute("role", "main");
  // Every scrolling part is announced as a region with the same name.
  for (const part of document.querySelectorAll(".simplebar-content-wrapper")) {
    part.removeAttribute("role");
    part.removeAttribute("aria-label");
  }
}

function fieldsName() {
  for (const field of document.querySelectorAll("td select, td input:not([type=hidden]), td textarea")) {
    if (!(field instanceof HTMLElement) || field.ariaLabel || field.closest("label")) continue;
    field.ariaLabel = nameOf(field) || null;
  }
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const shown = select.nextElementSibling?.querySelector("[role=combobox]");
    if (!(select instanceof HTMLElement) || !shown) continue;
    shown.setAttribute("aria-label", nameOf(select));
    shown.querySelector("[role=textbox]")?.setAttribute("aria-label", nameOf(select));
  }
  for (const icon of document.querySelectorAll("span.help-tooltip[aria-label]")) icon.setAttribute("role", "img");
}

function columnsName() {
  for (const heading of document.querySelectorAll("th")) {
    if (!heading.textContent?.trim() && !heading.querySelector("input, svg")) heading.setAttribute("role", "presentation");
  }
}

let isDue = false;

/** Name everything before the next frame, once for all changes since the last one. */
function nameSoon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    landmarksName();
    fieldsName();
    columnsName();
  });
}

// The theme's own scripts and new rows of forms write further elements later.
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(nameSoon).observe(document.body, { childList: true, subtree: true });
  nameSoon();
});
