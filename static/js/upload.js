// The first page. Pictures are checked and uploaded one by one when they are chosen, each with its own progress and its
// own error; the job is submitted with the uploaded ones. A single picture is submitted immediately.
import { ApiError, answered, call, callJson } from "./api/request.js";
import { byId, find, findAll, readJson } from "./page/elements.js";
import { fill, gettext, ngettext } from "./page/texts.js";
import { toast } from "./page/toast.js";
import { ColorTick } from "./settings/background.js";
import { SettingsForm } from "./settings/form.js";
import { optionsToSubmit, ownOptions, ticksOf } from "./settings/options.js";
import { showQualitiesFor } from "./settings/quality.js";
import { wireOwnPresets } from "./settings/presets.js";
import { isArchive, picturesInArchive } from "./upload/archives.js";
import { wireDropping } from "./upload/dropping.js";
import { countItems, folderOf, mayBePicture, megabytes, newItem, ownSettings, uploadIds } from "./upload/items.js";
import { Sending } from "./upload/sending.js";
import { TrayRow } from "./upload/tray.js";

/** @typedef {import("./upload/items.js").Item} Item */
/** @typedef {import("./upload/dropping.js").Found} Found */
/** @typedef {import("./api/job.js").Options} Options */

const form = byId("upload", HTMLFormElement);
/** @type {import("./upload/items.js").Limits} */
const limits = readJson("limits");
const urls = { uploads: form.dataset.uploads ?? "", jobs: form.dataset.jobs ?? "", job: form.dataset.jobPage ?? "" };

/** The page's state. */
const state = {
  /** The files in the order in which they were chosen. @type {Set<Item>} */
  items: new Set(),
  isSubmitting: false,
  /** The picture whose settings the form shows; null if it shows the common settings. @type {Item | null} */
  shown: null,
  /** The common settings while the form shows those of one picture. @type {Partial<Options>} */
  common: {},
};
/** @type {Map<Item, TrayRow>} */
const rows = new Map();
const sending = new Sending(urls.uploads, state.items, { onItem: showItem, onPause: showPause });
const ticks = { mask: byId("p-mask", HTMLInputElement), people: byId("p-people", HTMLInputElement) };
const settings = new SettingsForm(form, {
  background: (_form, onPick) => new ColorTick(form, onPick),
  onPreset: showTicks,
});
ticks.people.addEventListener("change", showQualities);
showQualities();

/** @param {string} text */
function showStatus(text) {
  byId("upload-status").textContent = text;
}

/** @returns {Partial<Options>} */
function chosenOptions() {
  return optionsToSubmit(settings.fields, { mask: ticks.mask.checked, people: ticks.people.checked });
}

/** @param {Partial<Options>} options */
function showTicks(options) {
  const { mask, people } = ticksOf(options);
  ticks.mask.checked = mask;
  ticks.people.checked = people;
  showQualities();
}

function showQualities() {
  showQualitiesFor(byId("p-quality", HTMLSelectElement), ticks.people.checked ? "instances" : "auto");
}

// Files ---------------------------------------------------------------------------------------------------------------

/**
 * Add files; zips are unpacked first.
 * @param {Iterable<File | Found>} files
 */
async function addFiles(files) {
  const chosen = (await Promise.all([...files].map(withFolder))).flat();
  const room = limits.max_images - state.items.size;
  const left = Math.max(0, chosen.length - room);
  for (const { file, folder } of chosen.slice(0, room)) addFile(file, folder);
  const tooMany = gettext("A batch has at most {limit} pictures; {count} more were left out.");
  showStatus(left ? fill(tooMany, { limit: limits.max_images, count: left }) : "");
  refresh();
  sending.next();
}

/**
 * Return a file with its folders, or the pictures of a zip with theirs.
 * @param {File | Found} chosen
 * @returns {Promise<Found[]>}
 */
async function withFolder(chosen) {
  const { file, folder } = chosen instanceof File ? { file: chosen, folder: folderOf(chosen) } : chosen;
  if (!isArchive(file)) return [{ file, folder }];
  showStatus(fill(gettext("Unpacking {name}…"), { name: file.name }));
  try {
    const most = { maxFiles: limits.max_images, maxBytes: limits.max_bytes };
    const found = await picturesInArchive(file, most);
    if (!found.length) toast(fill(gettext("There are no pictures in {name}."), { name: file.name }));
    return found.map((inner) => ({ ...inner, folder: [folder, inner.folder].filter(Boolean).join("/") }));
  } catch {
    toast(fill(gettext("{name} cannot be unpacked: it is damaged, encrypted or too large."), { name: file.name }));
    return [];
  }
}

/**
 * Add one of the site's sample pictures, like a dropped file.
 * @param {HTMLElement} button
 */
async function addSample({ dataset }) {
  try {
    const response = await call("GET", dataset.sample ?? "");
    const picture = await answered(response.blob());
    await addFiles([new File([picture], dataset.name ?? "sample.webp", { type: "image/webp" })]);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {File} file
 * @param {string} folder
 */
function addFile(file, folder) {
  const item = newItem(file, folder);
  const refusal = refusalOf(file);
  if (refusal) Object.assign(item, { state: "refused", error: refusal });
  const row = new TrayRow(item, {
    onRemove: () => {
      if (state.shown === item) showCommon();
      state.items.delete(item);
      rows.delete(item);
      row.element.remove();
      refresh();
    },
    onSettings: () => showOwn(item),
    onAgain: () => {
      Object.assign(item, { state: "waiting", tries: 0 });
      row.show();
      refresh();
      sending.next();
    },
  });
  state.items.add(item);
  rows.set(item, row);
  byId("tray-list").append(row.element);
}

/**
 * Return the reason why a file is not uploaded; "" when it is.
 * @param {File} file
 * @returns {string}
 */
function refusalOf(file) {
  if (!mayBePicture(file)) return gettext("This file is not a readable picture.");
  if (file.size <= limits.max_bytes) return "";
  return fill(gettext("This file is larger than the limit of {limit}."), { limit: megabytes(limits.max_bytes) });
}

/**
 * @param {Item} item
 * @param {number} [share]
 */
function showItem(item, share = 0) {
  rows.get(item)?.show(share);
  if (item.state === "sending") return;
  refresh();
  if (state.items.size === 1 && item.state === "ready") void submit();
}

/**
 * @param {number} seconds
 * @param {ApiError} [error]
 */
function showPause(seconds, error) {
  const reason = error && error.code !== "connection_lost" ? error.message : gettext("The connection was lost.");
  showStatus(seconds ? fill(gettext("{reason} Sending continues in {seconds} seconds."), { reason, seconds }) : "");
  refresh();
}

// Settings of one picture ---------------------------------------------------------------------------------------------

/**
 * Show the settings of one picture in the form, to be changed there.
 * @param {Item} item
 */
function showOwn(item) {
  showCommon();
  state.common = settings.fields;
  state.shown = item;
  settings.show({ ...state.common, ...item.settings });
  showWhose();
  find(form, "#parameters details", HTMLDetailsElement).open = true;
  byId("parameters").scrollIntoView({ block: "nearest" });
}

/** Store the form's settings for one picture, and let the form show the settings of all again. */
function showCommon() {
  const item = state.shown;
  if (!item) return;
  item.settings = ownOptions(settings.fields, state.common);
  state.shown = null;
  settings.show(state.common);
  rows.get(item)?.show();
  showWhose();
}

function showWhose() {
  const item = state.shown;
  byId("whose").hidden = !item;
  byId("whose-text").textContent = item ? fill(gettext("Settings of {name} only"), { name: item.file.name }) : "";
  byId("parameters").classList.toggle("of-one", item !== null);
  for (const [each, row] of rows) row.element.classList.toggle("is-shown", each === item);
}

function wireOwnSettings() {
  byId("whose-done").addEventListener("click", showCommon);
  byId("whose-reset").addEventListener("click", () => {
    settings.show(state.common);
    showCommon();
  });
}

// The button ----------------------------------------------------------------------------------------------------------

function refresh() {
  const { good, failed, unsent } = countItems(state.items);
  const isEmpty = state.items.size === 0;
  form.classList.toggle("has-files", !isEmpty);
  byId("tray").hidden = isEmpty;
  byId("go-row").hidden = isEmpty;
  byId("retry").hidden = !sending.isPaused && failed < 2;
  const label = ngettext("Cut out this picture", "Cut out {count} pictures", good);
  byId("go-text").textContent = fill(label, { count: good });
  byId("go", HTMLButtonElement).disabled = good === 0 || state.isSubmitting || unsent > 0;
}

/** @returns {{ recipe?: string[] }} */
function chosenRecipe() {
  const choice = form.elements.namedItem("recipe");
  return choice instanceof HTMLSelectElement && choice.value ? { recipe: [choice.value] } : {};
}

/** @returns {{ settings?: Record<string, Partial<Options>> }} */
function chosenForSingle() {
  const own = ownSettings(state.items);
  return Object.keys(own).length ? { settings: own } : {};
}

/** @param {{ image_url?: string[] }} [extra] */
async function submit(extra = {}) {
  if (state.isSubmitting) return;
  showCommon();
  state.isSubmitting = true;
  refresh();
  const uploads = uploadIds(state.items);
  const pictures = uploads.length ? { upload: uploads } : {};
  try {
    const job = await callJson("POST", urls.jobs, {
      json: { ...chosenOptions(), ...chosenRecipe(), ...pictures, ...chosenForSingle(), ...extra },
    });
    location.assign(`${urls.job}${job.id}/`);
  } catch (error) {
    state.isSubmitting = false;
    refresh();
    showStatus(error instanceof ApiError ? error.message : gettext("The connection was lost. Try again."));
  }
}

// Choosing ------------------------------------------------------------------------------------------------------------

/** @param {string} [url] */
function askForLink(url = "") {
  const dialog = byId("url-dialog", HTMLDialogElement);
  byId("url", HTMLInputElement).value = url;
  dialog.returnValue = ""; // Escape keeps the value of the last time
  dialog.showModal();
}

async function submitLink() {
  await submit({ image_url: [byId("url", HTMLInputElement).value.trim()] });
  const problem = byId("upload-status").textContent;
  if (problem) toast(problem);
}

function wireChoosing() {
  const files = byId("files", HTMLInputElement);
  const folder = byId("folder", HTMLInputElement);
  const take = (/** @type {HTMLInputElement} */ input, /** @type {(file: File) => boolean} */ isWanted) => {
    void addFiles([...(input.files ?? [])].filter(isWanted));
    input.value = "";
  };
  files.addEventListener("change", () => take(files, () => true));
  if (files.files?.length) take(files, () => true); // chosen before this script was loaded
  folder.addEventListener("change", () => take(folder, (file) => mayBePicture(file) || isArchive(file)));
  for (const button of findAll(form, "[data-sample]")) {
    button.addEventListener("click", () => void addSample(button));
  }
  byId("choose-folder").addEventListener("click", (event) => {
    event.preventDefault();
    folder.click();
  });
  byId("choose-url").addEventListener("click", (event) => {
    event.preventDefault();
    askForLink();
  });
  const dialog = byId("url-dialog", HTMLDialogElement);
  dialog.addEventListener("close", () => dialog.returnValue === "ok" && submitLink());
  byId("retry").addEventListener("click", () => sending.goOn({ failed: true }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
}

// The browser's Back button shows the page as it was left, during the submission.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  state.isSubmitting = false;
  refresh();
});
window.addEventListener("online", () => sending.goOn());

wireOwnPresets(settings.presets, byId("p-save").dataset.url ?? "", chosenOptions);
wireDropping({ onFiles: (files) => void addFiles(files), onLink: askForLink });
wireChoosing();
wireOwnSettings();
refresh();
