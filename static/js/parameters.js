// The settings form: shows numbers beside sliders, applies presets, and reads itself into the API's options.
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
  }));
  showNumbers();
}
