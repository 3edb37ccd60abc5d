// The settings form: shows numbers beside sliders, applies presets, and reads itself into the API's options.
import { callJson, toast } from "./api.js";

const FLAGS = ["feathering", "decontaminate", "crop"];

export function readOptions(form) {
  const field = (name) => form.elements.namedItem(name);
  const options = {
    subject: field("subject").value,
    format: field("format").value,
    alpha_mode: field("alpha_mode").value,
    threshold: Number(field("threshold").value),
    erosion: Number(field("erosion").value),
    background: field("background").value || null,
    outputs: ["cutout"],
  };
  for (const name of FLAGS) options[name] = field(name).checked;
  if (field("mask")?.checked) options.outputs.push("mask");
  if (field("people")?.checked) {
    options.method = "instances";
    options.outputs = ["cutout", "mask", "visualization"];
  }
  return options;
}

export function writeOptions(form, options) {
  for (const [name, value] of Object.entries(options)) {
    const field = form.elements.namedItem(name);
    if (!field) continue;
    if (field.type === "checkbox") field.checked = Boolean(value);
    else field.value = value ?? "";
  }
  if ("background" in options) showBackground(form, options.background);
  if ("outputs" in options) writeOutputs(form, options);
  form.dispatchEvent(new Event("parameters"));
}

// The counterpart of the two ticks in readOptions: each person has a mask anyway.
function writeOutputs(form, { outputs, method = "" }) {
  form.elements.namedItem("people").checked = method === "instances";
  form.elements.namedItem("mask").checked = method !== "instances" && outputs.includes("mask");
}

function showBackground(form, color) {
  form.querySelector("#p-transparent").checked = !color;
  if (color) form.querySelector("#p-color").value = color;
  form.elements.namedItem("background").value = color || "";
}

export function wireParameters(form, onChange = () => {}) {
  const color = form.querySelector("#p-color");
  const transparent = form.querySelector("#p-transparent");
  const showNumbers = () => form.querySelectorAll("output[for]").forEach((output) => {
    output.value = form.querySelector(`#${output.htmlFor.value}`)?.value ?? "";
  });
  const changed = () => { showNumbers(); onChange(); };
  color?.addEventListener("input", () => { showBackground(form, color.value); changed(); });
  transparent?.addEventListener("change", () => { showBackground(form, transparent.checked ? "" : color.value); changed(); });
  form.addEventListener("input", (event) => event.target.matches("[name], #p-mask, #p-people") && changed());
  form.addEventListener("parameters", changed);
  const defaults = readOptions(form);
  form.querySelector("[data-presets]").addEventListener("click", (event) => {
    const button = event.target.closest("[data-preset]");
    if (!button) return;
    const wasOn = button.getAttribute("aria-pressed") === "true";
    press(form, wasOn ? null : button);
    writeOptions(form, wasOn ? defaults : { ...defaults, ...JSON.parse(button.dataset.preset) });
  });
  wireSaving(form);
  showNumbers();
}

const presets = (form) => [...form.querySelectorAll("[data-preset]")];

function press(form, button) {
  for (const each of presets(form)) each.setAttribute("aria-pressed", String(each === button));
  form.querySelector("#p-name").value = button?.dataset.own ?? "";
  form.querySelector("#p-forget").hidden = !button?.dataset.own;
}

function wireSaving(form) {
  const save = form.querySelector("#p-save");
  const name = form.querySelector("#p-name");
  const named = () => presets(form).find((button) => button.dataset.own === name.value.trim());
  save.addEventListener("click", () => {
    if (!name.value.trim()) { name.focus(); return; }
    const options = readOptions(form);
    callJson("POST", save.dataset.url, { json: { name: name.value, options } }).then(() => {
      const button = named() ?? form.querySelector("[data-presets]").appendChild(ownButton(name.value.trim(), save.dataset.help));
      button.dataset.preset = JSON.stringify(options);
      press(form, button);
      toast(save.dataset.saved);
    }, (error) => toast(error.message));
  });
  form.querySelector("#p-forget").addEventListener("click", () => {
    callJson("DELETE", `${save.dataset.url}?name=${encodeURIComponent(name.value.trim())}`).then(() => {
      named()?.remove();
      press(form, null);
    }, (error) => toast(error.message));
  });
}

function ownButton(name, help) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, title: help });
  button.dataset.own = name;
  return button;
}
