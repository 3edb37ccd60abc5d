// Drags the result out of the page as a file. A drag cannot wait, so the file is made when the pointer reaches it.
import { Following } from "./following.js";

export class DragOut {
  /**
   * @param {HTMLElement[]} elements the elements that show the result
   * @param {object} calls
   * @param {() => Promise<Blob>} calls.get called for the result at full size
   * @param {(blob: Blob) => string} calls.nameOf called for the name of its file
   * @param {(isReady: boolean) => void} calls.onReady
   * @param {(error: unknown) => void} calls.onError
   */
  constructor(elements, { get, nameOf, onReady, onError }) {
    this.elements = elements;
    this.nameOf = nameOf;
    this.onReady = onReady;
    this.key = "";
    /** @type {{ file: File, url: string } | null} */
    this.ready = null;
    this.following = new Following({ get, show: (blob, key) => this.#show(blob, key), onError });
    for (const element of elements) {
      element.addEventListener("pointerenter", ({ pointerType }) => {
        if (this.key && pointerType === "mouse") this.following.want(this.key, this.key);
      });
      element.addEventListener("dragstart", (event) => this.#start(event));
    }
  }

  /**
   * Let the result be dragged; the file of an earlier result is dropped.
   * @param {string} key identifies what is shown; "" where the result is not shown alone
   */
  offer(key) {
    if (key === this.key) return;
    this.key = key;
    this.following.forget();
    this.#setReady(null);
    const isUnderPointer = this.elements.some((element) => element.matches(":hover"));
    if (key && isUnderPointer) this.following.want(key, key);
  }

  /**
   * @param {Blob} blob
   * @param {string} key
   */
  #show(blob, key) {
    if (key !== this.key) return;
    const file = new File([blob], this.nameOf(blob), { type: blob.type });
    this.#setReady({ file, url: URL.createObjectURL(file) });
  }

  /** @param {DragOut["ready"]} ready */
  #setReady(ready) {
    if (this.ready) URL.revokeObjectURL(this.ready.url);
    this.ready = ready;
    for (const element of this.elements) element.draggable = ready !== null;
    this.onReady(ready !== null);
  }

  /** @param {DragEvent} event */
  #start({ dataTransfer }) {
    if (!this.ready || !dataTransfer) return;
    const { file, url } = this.ready;
    dataTransfer.effectAllowed = "copy";
    dataTransfer.items.add(file); // for other pages and programs
    dataTransfer.setData("DownloadURL", `${file.type}:${file.name}:${url}`); // for folders, in Chromium
  }
}
