// Presets: named settings with buttons that switch them on and off. Visitors can save and delete their own.
import { callJson } from "../api/request.js";
import { byId, create, find, findAll } from "../page/elements.js";
import { gettext } from "../page/texts.js";
import { toast } from "../page/toast.js";

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {{ onApply: (options: Partial<Options>) => void, onPress?: (own: string) => void }} PresetCalls */

/** The buttons of a form's presets; at most one is pressed. */
export class Presets {
  /**
   * @param {HTMLFormElement} form
   * @param {PresetCalls} calls `onApply` gets a preset's options, or {} when it is switched off; `onPress` gets the
   *   name of the pressed preset if it is the visitor's own, otherwise ""
   */
  constructor(form, { onApply, onPress = () => {} }) {
    this.group = find(form, "[data-presets]");
    this.onPress = onPress;
    this.group.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-preset]") : null;
      if (!(button instanceof HTMLElement)) return;
      const wasPressed = button.getAttribute("aria-pressed") === "true";
      this.press(wasPressed ? null : button);
      onApply(wasPressed ? {} : JSON.parse(button.dataset.preset ?? "{}"));
    });
  }

  /** @returns {HTMLElement[]} */
  get buttons() {
    return findAll(this.group, "[data-preset]");
  }

  /** @param {HTMLElement | null} button */
  press(button) {
    for (const each of this.buttons) each.setAttribute("aria-pressed", String(each === button));
    this.onPress(button?.dataset.own ?? "");
  }

  /**
   * Return the button of the visitor's own preset with this name.
   * @param {string} name
   * @returns {HTMLElement | undefined}
   */
  own(name) {
    return this.buttons.find((button) => button.dataset.own === name);
  }

  /**
   * Add or replace the visitor's own preset, and press it.
   * @param {string} name
   * @param {Partial<Options>} options
   */
  put(name, options) {
    const button = this.own(name) ?? this.group.appendChild(ownButton(name));
    button.dataset.preset = JSON.stringify(options);
    this.press(button);
  }
}

/**
 * @param {string} name
 * @returns {HTMLElement}
 */
function ownButton(name) {
  const button = create("button", { type: "button", textContent: name, title: gettext("Your saved settings.") });
  button.dataset.own = name;
  return button;
}

/**
 * Connect the field and the two buttons that save and delete the visitor's own presets.
 * @param {Presets} presets
 * @param {string} url
 * @param {() => Partial<Options>} options returns the options to save
 */
export function wireOwnPresets(presets, url, options) {
  const name = byId("p-name", HTMLInputElement);
  const forget = byId("p-forget");
  const typed = () => name.value.trim();
  presets.onPress = (own) => {
    name.value = own;
    forget.hidden = !own;
  };
  byId("p-save").addEventListener("click", async () => {
    if (!typed()) {
      name.focus();
      return;
    }
    const saved = { name: typed(), options: options() };
    await complaining(callJson("POST", url, { json: saved }), () => {
      presets.put(saved.name, saved.options);
      toast(gettext("Saved."));
    });
  });
  forget.addEventListener("click", async () => {
    const gone = typed();
    await complaining(callJson("DELETE", `${url}?name=${encodeURIComponent(gone)}`), () => {
      presets.own(gone)?.remove();
      presets.press(null);
    });
  });
}

/**
 * Call a function when a request succeeds; show the reason when it fails.
 * @param {Promise<unknown>} request
 * @param {() => void} onSuccess
 */
async function complaining(request, onSuccess) {
  try {
    await request;
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
    return;
  }
  onSuccess();
}
