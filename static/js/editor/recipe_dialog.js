// The dialog that finishes the result for a shop or a site: one of the recipes, its preview, and a file or a link.
import { Busy } from "../page/busy.js";
import { byId } from "../page/elements.js";
import { toast } from "../page/toast.js";
import { fileName, offer } from "./files.js";

/**
 * @typedef {object} RecipeCalls
 * @property {import("./files.js").Files} files
 * @property {() => string} name called for the name of the shown picture
 */

export class RecipeDialog {
  /** @param {RecipeCalls} calls */
  constructor({ files, name }) {
    this.files = files;
    this.name = name;
    this.dialog = byId("recipe-dialog", HTMLDialogElement);
    this.recipe = byId("recipe-name", HTMLSelectElement);
    this.preview = byId("recipe-preview", HTMLImageElement);
    this.busy = new Busy(byId("recipe-busy"));
    this.wish = 0;
    this.recipe.addEventListener("change", () => this.#complaining(this.#show()));
    byId("recipe-save").addEventListener("click", () => this.#complaining(this.#save()));
    byId("recipe-share").addEventListener("click", () => this.#complaining(this.#share()));
    byId("recipe-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => (this.wish += 1));
  }

  open() {
    this.dialog.showModal();
    void this.#complaining(this.#show());
  }

  /** Show the preview of the chosen recipe, unless another one has been chosen meanwhile. */
  async #show() {
    const wish = ++this.wish;
    this.preview.hidden = true;
    let blob;
    try {
      blob = await this.files.finished(this.recipe.value, { for_screen: true });
    } catch (error) {
      if (wish !== this.wish) return;
      throw error;
    }
    if (wish !== this.wish) return;
    URL.revokeObjectURL(this.preview.src);
    this.preview.src = URL.createObjectURL(blob);
    this.preview.hidden = false;
  }

  async #save() {
    const recipe = this.recipe.value;
    const blob = await this.files.finished(recipe);
    offer(blob, fileName(this.name(), recipe, blob.type));
  }

  // An open dialog would cover the message about the link.
  async #share() {
    const { value } = this.recipe;
    this.dialog.close();
    await this.files.shareFinished(value);
  }

  /** @param {Promise<void>} action */
  async #complaining(action) {
    byId("recipe-error").textContent = "";
    try {
      await this.busy.during(action);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (this.dialog.open) byId("recipe-error").textContent = message;
      else toast(message);
    }
  }
}
