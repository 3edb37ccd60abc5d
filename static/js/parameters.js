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
  form.dispatchEvent(new Event("parameters"));
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
  form.querySelectorAll("[data-preset]").forEach((button) => button.addEventListener("click", (event) => {
    event.preventDefault();
    const wasOn = button.getAttribute("aria-pressed") === "true";
    form.querySelectorAll("[data-preset]").forEach((other) => other.setAttribute("aria-pressed", "false"));
    button.setAttribute("aria-pressed", String(!wasOn));
    writeOptions(form, wasOn ? defaults : { ...defaults, ...JSON.parse(button.dataset.preset) });
    showOwn(form, wasOn ? "" : button.dataset.own ?? "");
  }));
  wireSaving(form);
  showNumbers();
}

function showOwn(form, name) {
  const field = form.querySelector("#p-name");
  if (!field) return;
  field.value = name;
  form.querySelector("#p-forget").hidden = !name;
}

function wireSaving(form) {
  const save = form.querySelector("#p-save");
  if (!save) return;
  const name = form.querySelector("#p-name");
  const done = (message) => { toast(message); setTimeout(() => location.reload(), 600); };
  save.addEventListener("click", () => {
    if (!name.value.trim()) { name.focus(); return; }
    callJson("POST", save.dataset.url, { json: { name: name.value, options: readOptions(form) } }).then(() => done(save.dataset.saved), (error) => toast(error.message));
  });
  form.querySelector("#p-forget").addEventListener("click", () => {
    callJson("DELETE", `${save.dataset.url}?name=${encodeURIComponent(name.value)}`).then(() => location.reload(), (error) => toast(error.message));
  });
}
