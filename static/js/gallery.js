// The gallery and the page of a batch: select pictures for an action, and show the original of the result under the
// pointer. Without this script the buttons submit one form.
import { call } from "./api/request.js";
import { byId } from "./page/elements.js";
import { Selection } from "./gallery/selection.js";
import { showOriginals } from "./gallery/originals.js";
import { fill, gettext, ngettext } from "./page/texts.js";
import { toast, toastWithUndo } from "./page/toast.js";

const form = document.getElementById("selection");

/**
 * Hide pictures immediately, and delete them when the time for Undo is over or the page is left.
 * @param {HTMLFormElement} target
 * @param {Selection} selection
 */
function deleteLater(target, selection) {
  const body = new FormData(target);
  body.set("do", "delete");
  body.set("quiet", "1");
  const chosen = selection.chosen();
  const items = chosen.flatMap((box) => box.closest(".thumb") ?? []);
  const show = (/** @type {boolean} */ isShown) => {
    for (const item of items) item.classList.toggle("is-deleted", !isShown);
  };
  selection.clear(); // first, because hidden pictures are not part of the selection
  show(false);
  const text = ngettext("{count} picture deleted", "{count} pictures deleted", chosen.length);
  toastWithUndo(fill(text, { count: chosen.length }), {
    onUndo: () => show(true),
    async onEnd(isLeaving) {
      if (isLeaving) {
        navigator.sendBeacon(target.action, body);
        return;
      }
      try {
        const { kept } = await (await call("POST", target.action, { form: body })).json();
        if (!kept) return;
        show(true);
        toast(gettext("Pictures of a running batch cannot be deleted until it finishes."));
      } catch (error) {
        show(true);
        toast(error instanceof Error ? error.message : String(error));
      }
    },
  });
}

/** Filter immediately when a choice changes; a text takes effect with the button or Enter. */
function wireFilters() {
  const filters = document.getElementById("filters");
  if (!(filters instanceof HTMLFormElement)) return;
  filters.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type === "checkbox")) {
      filters.requestSubmit();
    }
  });
}

if (form instanceof HTMLFormElement) {
  const selection = new Selection({
    bar: byId("selection-bar"),
    count: byId("selection-count"),
    all: byId("selection-all"),
    none: byId("selection-none"),
  });
  form.addEventListener("submit", (event) => {
    if (!(event.submitter instanceof HTMLButtonElement) || event.submitter.value !== "delete") return;
    event.preventDefault();
    deleteLater(form, selection);
  });
}
wireFilters();
showOriginals(document.body);
