// Renderings of the shown picture with other options, without the model: for the stage, and for the editor's outputs.
import { jobUrl } from "../api/job.js";
import { answered, call } from "../api/request.js";
import { optionsForStage } from "../settings/options.js";
import { keptPeople, shownImage } from "./state.js";

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {import("../api/job.js").StoredFile} StoredFile */
/** @typedef {import("./finish_recipe.js").Recipe} Recipe */
/** @typedef {Partial<Options> & { recipe?: string, finish?: Recipe }} Wish options, with a recipe or finish */

export class Renderings {
  /**
   * @param {import("./state.js").EditorState} state
   * @param {() => Promise<Blob>} brushPng
   */
  constructor(state, brushPng) {
    this.state = state;
    this.brushPng = brushPng;
    /** Aborts the stage's rendering in progress. @type {AbortController | null} */
    this.stage = null;
  }

  /**
   * Return a rendering as a file.
   * @param {Wish} options
   * @param {{ for_screen?: boolean }} [use]
   * @returns {Promise<Blob>}
   */
  async render(options, use = {}) {
    const response = await this.#send(options, { keep: false, ...use });
    return answered(response.blob());
  }

  /**
   * Store a rendering beside the original result, and return it with its link.
   * @param {Wish} options
   * @returns {Promise<StoredFile>}
   */
  async keep(options) {
    const response = await this.#send(options, { keep: true });
    return answered(response.json());
  }

  /**
   * Store the files of a recipe beside the original result, and return them with their links.
   * @param {Wish} options
   * @returns {Promise<{ files: StoredFile[] }>}
   */
  async keepFinished(options) {
    const response = await this.#send(options, { keep: true });
    return answered(response.json());
  }

  /**
   * Save a rendering as a version of the picture.
   * @param {Wish} options
   * @param {import("./state.js").Edit} edit the edit that the editor restores with the version
   * @returns {Promise<import("./versions.js").Version>}
   */
  async saveVersion(options, edit) {
    const response = await this.#send(options, { edit }, undefined, "versions/");
    return answered(response.json());
  }

  /**
   * Return the rendering for the stage, at screen size; null when a newer one has replaced it meanwhile. Crop and colour
   * are left out, so that the result is aligned with the original and with the background.
   * @param {Partial<Options>} options
   * @returns {Promise<Blob | null>}
   */
  async renderStage(options) {
    this.stop();
    this.stage = new AbortController();
    const { signal } = this.stage;
    try {
      const response = await this.#send(optionsForStage(options), { for_screen: true }, signal);
      return await answered(response.blob());
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  /**
   * Return one layer of the finished picture, at screen size.
   * @param {Partial<Options>} options
   * @param {Recipe} finish
   * @returns {Promise<Blob>}
   */
  renderLayer(options, finish) {
    const { crop } = options;
    return this.render({ ...optionsForStage(options), crop, finish }, { for_screen: true });
  }

  /** Stop the rendering for the stage. */
  stop() {
    this.stage?.abort();
  }

  /**
   * @param {Wish} options
   * @param {{ keep?: boolean, for_screen?: boolean, edit?: import("./state.js").Edit }} use
   * @param {AbortSignal} [signal]
   * @param {"variants" | "versions/"} [action]
   * @returns {Promise<Response>}
   */
  async #send(options, use, signal, action = "variants") {
    const { state } = this;
    const people = keptPeople(state);
    const { position } = shownImage(state);
    const values = { ...options, position, ...use, ...(people ? { people } : {}) };
    const url = jobUrl(state.job, action);
    if (!state.strokes.length) return call("POST", url, { json: values, signal });
    const form = formOf(values);
    form.append("brush", await this.brushPng(), "brush.png");
    return call("POST", url, { form, signal });
  }
}

/**
 * Return values as the fields of a form: lists separated by commas, objects as JSON, null values left out.
 * @param {Record<string, unknown>} values
 * @returns {FormData}
 */
export function formOf(values) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined) continue;
    if (Array.isArray(value)) form.append(name, value.join(","));
    else form.append(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  return form;
}
