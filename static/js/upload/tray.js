// The row of one chosen file: its preview, name, progress, state and buttons.
import { create } from "../page/elements.js";
import { gettext } from "../page/texts.js";
import { isBad } from "./items.js";

/** @typedef {import("./items.js").Item} Item */

export class TrayRow {
  /**
   * @param {Item} item
   * @param {{ onRemove: () => void, onAgain: () => void, onSettings: () => void }} calls
   */
  constructor(item, { onRemove, onAgain, onSettings }) {
    this.item = item;
    const remove = create("button", { type: "button", className: "remove", textContent: "×" });
    remove.setAttribute("aria-label", `${gettext("Remove")}: ${item.file.name}`);
    remove.addEventListener("click", onRemove);
    this.frame = create("div", { className: "frame" }, remove);
    this.progress = create("progress", { max: 1, value: 0 });
    this.state = create("span", { className: "state" });
    this.again = create("button", {
      type: "button",
      className: "button small again",
      textContent: gettext("Try again"),
    });
    this.again.addEventListener("click", onAgain);
    this.settings = create("button", { type: "button", className: "button plain small own-settings" });
    this.settings.addEventListener("click", onSettings);
    const name = create("span", {
      className: "name",
      textContent: item.folder ? `${item.folder}/${item.file.name}` : item.file.name,
    });
    name.title = name.textContent ?? "";
    const parts = [this.frame, name, this.progress, this.state, this.again, this.settings];
    this.element = create("li", { className: "tray-item" }, ...parts);
    this.#showPreview();
    this.show();
  }

  /** @param {number} [share] the uploaded share, 0 to 1 */
  show(share = 0) {
    const { item } = this;
    this.element.classList.toggle("failed", isBad(item));
    this.state.textContent = isBad(item) ? item.error : stateText(item);
    this.progress.hidden = item.state !== "sending";
    this.progress.value = share;
    this.again.hidden = item.state !== "failed";
    const hasOwn = Object.keys(item.settings).length > 0;
    this.settings.textContent = hasOwn ? gettext("Own settings") : gettext("Settings…");
    this.settings.setAttribute("aria-label", `${this.settings.textContent}: ${item.file.name}`);
    this.settings.classList.toggle("has-own", hasOwn);
    this.settings.hidden = isBad(item);
  }

  #showPreview() {
    const image = new Image();
    image.alt = "";
    image.loading = "lazy"; // so that hundreds of photos are not all decoded at once
    image.src = URL.createObjectURL(this.item.file);
    image.onload = () => URL.revokeObjectURL(image.src);
    image.onerror = () => {
      URL.revokeObjectURL(image.src);
      image.remove();
    };
    this.frame.prepend(image);
  }
}

/**
 * @param {Item} item
 * @returns {string}
 */
function stateText({ state }) {
  if (state === "sending") return gettext("Sending");
  return state === "ready" ? gettext("Ready") : "";
}
