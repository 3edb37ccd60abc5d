// Adds what Swagger UI lacks for assistive technology, after each of its renderings.

// Its headings skip levels: the title is an h1, the groups are h3, and their content h4 and h5.
const LEVELS = { "h3.opblock-tag": "2", "section.models > h4": "2", h4: "3", h5: "4" };

const page = document.getElementById("swagger-ui");

/**
 * Make a part of the page a landmark.
 * @param {Element | null} part
 * @param {string | null | undefined} name
 */
function landmarkName(part, name) {
  if (!part || !name || part.hasAttribute("aria-label")) return;
  part.setAttribute("role", "region");
  part.setAttribute("aria-label", name);
}

/** @param {HTMLElement} root */
function repair(root) {
  landmarkName(root.querySelector(".information-container"), document.title);
  landmarkName(root.querySelector(".scheme-container"), root.querySelector(".btn.authorize")?.textContent);
  for (const [kind, level] of Object.entries(LEVELS)) {
    for (const heading of root.querySelectorAll(`${kind}:not([aria-level])`)) heading.setAttribute("aria-level", level);
  }
  // A link inside a button cannot get the focus. The button opens the operation, and the browser then shows its URL.
  for (const link of root.querySelectorAll("button a[href]")) link.removeAttribute("href");
}

if (page) {
  new MutationObserver(() => repair(page)).observe(page, { childList: true, subtree: true });
  repair(page);
}
