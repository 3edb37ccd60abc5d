// The stage: the result on its background, the original, and the note above them.
import { Busy } from "../page/busy.js";
import { byId, find, findAll } from "../page/elements.js";
import { isEmptyResult } from "../api/job.js";
import { mayCancel, mayRetry, shownImage } from "./state.js";

export class Stage {
  /** @param {import("./state.js").EditorState} state */
  constructor(state) {
    this.state = state;
    this.busy = new Busy(byId("stage-busy"));
    this.element = byId("stage");
    this.backdrop = byId("backdrop");
    this.after = byId("after", HTMLImageElement);
    this.originals = [byId("before", HTMLImageElement), byId("before-second", HTMLImageElement)];
  }

  /**
   * Show or hide an element. If a hidden element contains the keyboard's focus, the current tool's button gets the
   * focus; otherwise the next Tab would start at the top of the page.
   * @param {HTMLElement} element
   * @param {boolean} isVisible
   */
  show(element, isVisible) {
    if (!isVisible && element.contains(document.activeElement)) {
      find(document, `button[data-tool=${this.state.tool}]`).focus();
    }
    element.hidden = !isVisible;
  }

  /**
   * Show a note; "" hides it.
   * @param {string} text
   * @param {{ isError?: boolean }} [options]
   */
  note(text, { isError = false } = {}) {
    this.show(byId("stage-note"), text !== "");
    byId("stage-note").classList.toggle("error", isError);
    byId("stage-text").textContent = text;
    this.show(byId("cancel-form"), mayCancel(this.state));
    this.show(byId("retry-form"), isError && mayRetry(this.state));
  }

  /** Mark the stage as empty while there is no result, and enable actions that need a result only when there is one. */
  markEmpty() {
    const image = shownImage(this.state);
    const isEmpty = image.status !== "succeeded";
    this.element.classList.toggle("is-empty", isEmpty);
    for (const button of findAll(document, "[data-needs-result]")) {
      if (button instanceof HTMLButtonElement) button.disabled = isEmpty;
    }
    this.show(byId("stage-empty"), isEmptyResult(image));
  }

  /**
   * Show that an operation is in progress, if it takes noticeably long.
   * @template T
   * @param {Promise<T>} work
   * @returns {Promise<T>}
   */
  busyDuring(work) {
    return this.busy.during(work);
  }

  showOriginal() {
    const { source } = this.state;
    for (const image of this.originals) if (source && image.getAttribute("src") !== source) image.src = source;
  }

  /** @param {string} url of the result, an object URL or a link */
  showResult(url) {
    const before = this.after.src;
    this.after.src = url;
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  }

  /**
   * Show a draft of the awaited result. Actions that need a result stay disabled until it arrives.
   * @param {string} url an object URL
   */
  showDraft(url) {
    this.element.classList.remove("is-empty");
    this.showResult(url);
  }

  /**
   * Show the background of the result.
   * @param {string} background in CSS, "" for the checkerboard
   */
  showBehind(background) {
    this.backdrop.classList.toggle("checkerboard", !background);
    this.backdrop.style.background = background;
  }

  /**
   * Show the frame that the Crop option keeps; null for the whole picture.
   * @param {import("../api/job.js").Box | null} frame
   */
  showCrop(frame) {
    const element = byId("crop-frame");
    element.hidden = frame === null;
    if (!frame) return;
    const [left, top, right, bottom] = frame;
    Object.assign(element.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${right - left}px`,
      height: `${bottom - top}px`,
    });
  }

  /**
   * Move the backdrop to the position of the picture.
   * @param {import("./viewport.js").Viewport} viewport
   */
  placeBackdrop(viewport) {
    const [left, top] = viewport.toPane(0, 0);
    const [width, height] = viewport.size;
    const { style } = this.backdrop;
    style.left = `${left}px`;
    style.top = `${top}px`;
    style.width = `${width * viewport.scale}px`;
    style.height = `${height * viewport.scale}px`;
  }
}
