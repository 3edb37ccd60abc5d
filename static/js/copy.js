// The pages of keys, webhooks and the team: copy buttons, and confirmations of actions that cannot be undone.
import { copyText } from "./page/clipboard.js";
import { confirmSubmits } from "./page/confirm.js";
import { find, findAll } from "./page/elements.js";
import { gettext } from "./page/texts.js";

for (const button of findAll(document, "[data-copy]")) {
  button.addEventListener("click", async () => {
    const shown = find(document, button.dataset.copy ?? "");
    const isCopied = await copyText(shown.textContent ?? "");
    if (!isCopied) window.getSelection()?.selectAllChildren(shown);
    const label = isCopied ? gettext("Copied") : gettext("Press Ctrl+C to copy");
    if (button.lastChild) button.lastChild.textContent = ` ${label}`;
  });
}
confirmSubmits();
