// What leaves the page: downloads, copies, links and kept versions, rendered for real as the panel says.
import { toast } from "./api.js";
import { copyText } from "./clipboard.js";

const DOWNLOADS = { png: {}, webp: {}, jpeg: {}, mask: { outputs: ["mask"] }, alpha: { outputs: ["alpha"] } };
const CUTOUT = { outputs: ["cutout"] };

export class Files {
  // render(options) gives the rendering, or with `keep` the link of the stored one; shown() gives what it is made of.
  constructor({ tune, text, render, shown, name }) {
    Object.assign(this, { tune, text, render, shown, name });
    this.shared = null;
  }

  async download(kind = "") {
    const options = { ...this.tune.options(), ...CUTOUT, ...(DOWNLOADS[kind] ?? {}) };
    if (["png", "webp", "jpeg"].includes(kind)) options.format = kind;
    if (kind === "jpeg" && !options.background) options.background = "#ffffff";
    const blob = kind ? await this.render(options) : await this.#result();
    const extension = { "image/jpeg": "jpg", "image/webp": "webp" }[blob.type] ?? "png";
    offer(blob, `${this.name().replace(/\.[^.]+$/, "") || "picture"}-${options.outputs[0]}.${extension}`);
  }

  // The clipboard takes pictures as PNG alone.
  async copy() {
    if (!navigator.clipboard?.write) {
      const button = document.getElementById("download");
      toast(this.text("OnlySecure"), { action: button.textContent.trim(), onAction: () => button.click() });
      return;
    }
    const blob = this.#result({ format: "png" });
    // Safari takes a picture that is promised within the click, not one that is made after it.
    await Promise.all([blob, navigator.clipboard.write([new ClipboardItem({ "image/png": blob })])]);
    toast(this.text("Copied"));
  }

  async share() {
    const url = await this.#link();
    const until = new Date(Number(new URL(url).searchParams.get("until")) * 1000);
    const time = until.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    if (await copyText(url)) toast(this.text("Linked").replace("{time}", time));
    else showLink(url, this.text("Linkable").replace("{time}", time));
  }

  async keep() {
    await this.render({ ...this.tune.options(), ...CUTOUT }, { keep: true });
    toast(this.text("Kept"));
  }

  // What Download gives: the cutout as the panel says, with the picture behind it where there is one.
  async #result(changes = {}) {
    const blob = await this.render({ ...this.tune.options(), ...CUTOUT, ...changes });
    return this.tune.behind ? this.tune.composed(blob) : blob;
  }

  // Each link is a stored file, so one is made only when something has changed.
  async #link() {
    const wish = JSON.stringify([this.tune.options(), this.shown()]);
    if (this.shared?.wish !== wish) this.shared = { wish, kept: this.render({ ...this.tune.options(), ...CUTOUT }, { keep: true }) };
    const { kept } = this.shared;
    kept.catch(() => { this.shared = null; });
    return (await kept).url;
  }
}

export function offer(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function showLink(url, words) {
  const field = document.getElementById("link");
  field.value = url;
  document.getElementById("link-words").textContent = words;
  document.getElementById("link-dialog").showModal();
  field.select();
}
