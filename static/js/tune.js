// The panel: reads and shows the parameters, asks for a new rendering shortly after the last change.
const DELAY_MS = 60;
const OUTLINE = ["alpha_mode", "threshold", "erosion", "feathering", "decontaminate"];

export class Tune {
  constructor(form, { onChange, onBehind }) {
    Object.assign(this, { form, onChange, onBehind });
    this.base = {};
    this.behind = "";
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => (event.target.name ? this.#changed() : this.#numbers()));
    this.#wireBackground();
    this.#wirePresets();
    this.#numbers();
  }

  // What the job was submitted with; what the form does not show of it is sent again.
  set(options) {
    this.base = options;
    this.show(options);
  }

  // Whether the subject's outline and edge colours came out of these options as they would now.
  hasOutlineOf(options) {
    const now = this.options();
    return OUTLINE.every((name) => now[name] === options[name]);
  }

  options() {
    const field = (name) => this.form.elements.namedItem(name);
    const background = this.behind ? null : field("background").value || null;
    return {
      subject: this.base.subject ?? "auto",
      format: background && this.base.format === "jpeg" ? "jpeg" : this.base.format === "webp" ? "webp" : "png",
      background,
      alpha_mode: field("alpha_mode").value,
      threshold: Number(field("threshold").value),
      erosion: Number(field("erosion").value),
      feathering: field("feathering").checked,
      decontaminate: field("decontaminate").checked,
      crop: field("crop").checked,
      crop_margin: Number(field("crop_margin").value),
    };
  }

  // Draw a transparent cutout over the picture that was put behind it, which covers all of it.
  async composed(blob) {
    const image = new Image();
    image.src = this.behind;
    const [cutout] = await Promise.all([createImageBitmap(blob), image.decode()]);
    const { width, height } = cutout;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    const scale = Math.max(width / image.naturalWidth, height / image.naturalHeight);
    const [w, h] = [image.naturalWidth * scale, image.naturalHeight * scale];
    context.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
    context.drawImage(cutout, 0, 0);
    return canvas.convertToBlob({ type: "image/png" });
  }

  show(options) {
    for (const [name, value] of Object.entries(options)) {
      const field = this.form.elements.namedItem(name);
      if (!field || name === "boxes") continue;
      if (field.type === "checkbox") field.checked = Boolean(value);
      else field.value = value ?? "";
    }
    this.#swatches();
    this.#numbers();
  }

  #changed() {
    this.#numbers();
    clearTimeout(this.timer);
    this.timer = setTimeout(this.onChange, DELAY_MS);
  }

  #numbers() {
    this.form.querySelectorAll("output[for]").forEach((output) => {
      const value = this.form.querySelector(`#${output.htmlFor.value}`)?.value ?? "";
      output.value = output.htmlFor.value === "t-margin" ? `${Math.round(value * 100)} %` : value;
    });
  }

  #swatches() {
    const color = this.form.elements.namedItem("background").value;
    this.form.querySelectorAll("[data-color]").forEach((swatch) => swatch.setAttribute("aria-pressed", String(!this.behind && swatch.dataset.color === color)));
  }

  #setBackground(color) {
    this.form.elements.namedItem("background").value = color;
    this.#setBehind("");
    this.#changed();
  }

  #setBehind(address) {
    if (this.behind) URL.revokeObjectURL(this.behind);
    this.behind = address;
    this.#swatches();
    this.onBehind(address);
  }

  #wireBackground() {
    this.form.querySelectorAll("[data-color]").forEach((swatch) => swatch.addEventListener("click", () => this.#setBackground(swatch.dataset.color)));
    this.form.querySelector("#any-color").addEventListener("input", (event) => this.#setBackground(event.target.value));
    this.form.querySelector("#behind").addEventListener("change", (event) => {
      if (event.target.files.length) this.#setBehind(URL.createObjectURL(event.target.files[0]));
    });
  }

  #wirePresets() {
    this.form.querySelectorAll("[data-preset]").forEach((button) => button.addEventListener("click", () => {
      const wasOn = button.getAttribute("aria-pressed") === "true";
      this.form.querySelectorAll("[data-preset]").forEach((other) => other.setAttribute("aria-pressed", "false"));
      button.setAttribute("aria-pressed", String(!wasOn));
      this.show({ ...this.base, ...(wasOn ? {} : JSON.parse(button.dataset.preset)) });
      this.#changed();
    }));
  }
}
