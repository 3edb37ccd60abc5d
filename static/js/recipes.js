// The recipes page: a form with a live preview. Recipes are read and stored through the native API.
import { ApiError, callJson } from "./api/request.js";
import { ask } from "./page/confirm.js";
import { byId, create, findAll, readJson } from "./page/elements.js";
import { fill, gettext, ngettext } from "./page/texts.js";
import { toast } from "./page/toast.js";
import { RecipeForm } from "./recipes/form.js";
import { Preview } from "./recipes/preview.js";
import { freeName, recipeOf, valuesOf } from "./recipes/values.js";

/**
 * @typedef {object} Named
 * @property {string} name
 * @property {number} version
 * @property {boolean} is_builtin
 * @property {string} title in the user's language
 * @property {Record<string, any>} recipe
 */

const urls = readJson("urls");
const chooser = byId("recipe-choice", HTMLSelectElement);
const versions = byId("recipe-version", HTMLSelectElement);
const nameField = byId("recipe-name", HTMLInputElement);
const json = byId("recipe-json", HTMLTextAreaElement);
const form = new RecipeForm(changed);
const preview = new Preview(urls.preview);

/** The page's state. */
const state = {
  /** @type {Named[]} */
  recipes: readJson("recipes"),
  /** The recipe whose versions are listed. @type {Named | null} */
  named: null,
  /** The loaded recipe, for values that the form has no field for. @type {Record<string, any>} */
  base: {},
  /** The subject of the preview: a sample, or a picture of a job. @type {Record<string, any>} */
  subject: { sample: "portrait" },
};

/** @returns {Record<string, any>} */
function current() {
  return recipeOf(form.values, form.outputs, state.base);
}

function changed() {
  const recipe = current();
  json.value = JSON.stringify(recipe, null, 1);
  preview.show({ recipe, ...state.subject });
}

// Choosing ------------------------------------------------------------------------------------------------------------

/** @param {Record<string, any>} recipe */
function load(recipe) {
  state.base = recipe;
  const { values, outputs } = valuesOf(recipe);
  form.show(values, outputs);
  changed();
}

/** @param {string} name */
async function choose(name) {
  const named = state.recipes.find((one) => one.name === name) ?? state.recipes[0];
  chooser.value = named.name;
  const names = state.recipes.map((one) => one.name);
  nameField.value = named.is_builtin ? freeName(named.name, names) : named.name;
  byId("recipe-delete").hidden = named.is_builtin;
  load({ ...named.recipe, title: named.title });
  await showVersions(named);
}

/**
 * List the versions of a recipe, unless another one has been chosen meanwhile.
 * @param {Named} named
 */
async function showVersions(named) {
  state.named = named;
  byId("recipe-versions").hidden = named.is_builtin;
  if (named.is_builtin) return;
  /** @type {{ version: number, created_at: string }[]} */
  const rows = await callJson("GET", `${urls.recipes}${named.name}/versions`);
  if (state.named !== named) return;
  const language = document.documentElement.lang;
  versions.replaceChildren(
    ...rows.map(({ version, created_at }) => {
      const time = new Date(created_at).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
      return create("option", { value: String(version), textContent: `${version} · ${time}` });
    }),
  );
}

function showChoices() {
  const [own, builtin] = findAll(chooser, "optgroup");
  own.replaceChildren(...optionsOf(state.recipes.filter((one) => !one.is_builtin)));
  own.hidden = own.childElementCount === 0;
  builtin.replaceChildren(...optionsOf(state.recipes.filter((one) => one.is_builtin)));
}

/**
 * @param {Named[]} recipes
 * @returns {HTMLOptionElement[]}
 */
function optionsOf(recipes) {
  return recipes.map(({ name, title }) => create("option", { value: name, textContent: title }));
}

// Storing -------------------------------------------------------------------------------------------------------------

async function save() {
  const name = nameField.value.trim();
  /** @type {Named} */
  const saved = await callJson("POST", urls.recipes, { json: { name, recipe: current() } });
  await reload(saved.name);
  toast(fill(gettext("Saved as {name}, version {version}."), { name: saved.name, version: saved.version }));
}

async function remove() {
  const { value: name } = chooser;
  if (!(await ask(gettext("Delete this recipe? Jobs that used it keep their pictures."), gettext("Delete")))) return;
  await callJson("DELETE", `${urls.recipes}${name}/`);
  await reload("");
}

/** @param {File} file */
async function importFile(file) {
  /** @type {unknown} */
  let bodies;
  try {
    bodies = JSON.parse(await file.text());
  } catch {
    throw new ApiError(gettext("This file is not JSON."));
  }
  const { results } = await callJson("POST", urls.import, { json: bodies });
  await reload(results[0]?.name ?? "");
  const text = ngettext("One recipe imported.", "{count} recipes imported.", results.length);
  toast(fill(text, { count: results.length }));
}

/** @param {File} file */
async function addBackground(file) {
  const body = new FormData();
  body.append("name", file.name.slice(0, 80));
  body.append("image", file);
  const saved = await callJson("POST", urls.backgrounds, { form: body });
  const list = byId("background-picture", HTMLSelectElement);
  if (![...list.options].some((option) => option.value === saved.name)) {
    list.append(create("option", { value: saved.name, textContent: saved.name }));
  }
  list.value = saved.name;
  changed();
}

/** @param {string} name the recipe to show afterwards */
async function reload(name) {
  state.recipes = (await callJson("GET", urls.recipes)).results;
  showChoices();
  await choose(name);
}

/**
 * Run the action of a button, and show the reason if it fails.
 * @param {() => Promise<void>} action
 */
async function tried(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
  }
}

// Wiring --------------------------------------------------------------------------------------------------------------

/**
 * @param {string} id of a file field
 * @param {(file: File) => Promise<void>} take
 */
function wireFile(id, take) {
  const field = byId(id, HTMLInputElement);
  field.addEventListener("change", () => {
    const file = field.files?.[0];
    field.value = "";
    if (file) void tried(() => take(file));
  });
}

chooser.addEventListener("change", () => void tried(() => choose(chooser.value)));
versions.addEventListener("change", () =>
  tried(async () => load((await callJson("GET", `${urls.recipes}${chooser.value}/?version=${versions.value}`)).recipe)),
);
byId("recipe-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void tried(save);
});
byId("recipe-delete").addEventListener("click", () => void tried(remove));
json.addEventListener("change", () => {
  try {
    load(JSON.parse(json.value));
  } catch {
    toast(gettext("This is not a whole recipe."));
  }
});
wireFile("recipe-import", importFile);
wireFile("background-file", addBackground);
for (const button of findAll(document, "[data-subject]")) {
  button.addEventListener("click", () => {
    state.subject = JSON.parse(button.dataset.subject ?? "{}");
    for (const other of findAll(document, "[data-subject]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    changed();
  });
}
showChoices();
void tried(() => choose(location.hash.slice(1)));
