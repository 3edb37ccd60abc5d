// The chosen files: pure functions on the list that the first page shows.

/** @typedef {import("../api/job.js").Options} Options */
/** @typedef {"waiting" | "sending" | "ready" | "failed" | "refused"} ItemState failed items may be retried */

/**
 * @typedef {object} Item one chosen file
 * @property {File} file
 * @property {string} folder the path of the file's folder, with slashes; "" without a folder
 * @property {ItemState} state
 * @property {string | null} id the id of the upload, once it has arrived
 * @property {string} error the reason for a failure or refusal, to be shown
 * @property {number} tries
 * @property {Partial<Options>} settings the picture's settings that differ from those of all
 */

/** @typedef {{ max_bytes: number, max_images: number }} Limits */

// Types and names that are certainly not pictures. The server checks all other files.
const OTHER_TYPE = new RegExp("^(text|audio|video|font)/|^application/(?!octet-stream$)");
const OTHER_ENDINGS = "txt md csv json xml htm html pdf doc docx xls xlsx zip rar 7z mp3 mp4 mov exe db ini log".split(
  " ",
);
const HIDDEN_NAME = /^\./; // such as .DS_Store

/**
 * @param {File} file
 * @param {string} [folder]
 * @returns {Item}
 */
export function newItem(file, folder = "") {
  return { file, folder, state: "waiting", id: null, error: "", tries: 0, settings: {} };
}

/**
 * Return whether a file may be a picture: false if its type or its name clearly belongs to another kind of file.
 * @param {{ type: string, name: string }} file
 * @returns {boolean}
 */
export function mayBePicture({ type, name }) {
  if (type.startsWith("image/")) return true;
  const ending = name.split(".").at(-1)?.toLowerCase() ?? "";
  return !OTHER_TYPE.test(type) && !HIDDEN_NAME.test(name) && !OTHER_ENDINGS.includes(ending);
}

/**
 * Return the folders of a file that was chosen with its whole folder; "" for a single file.
 * @param {{ webkitRelativePath?: string }} file
 * @returns {string}
 */
export function folderOf({ webkitRelativePath = "" }) {
  return webkitRelativePath.split("/").slice(0, -1).join("/");
}

/**
 * Return a size in bytes as whole megabytes.
 * @param {number} bytes
 * @returns {string}
 */
export function megabytes(bytes) {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

/**
 * Return whether an item failed or was refused.
 * @param {{ state: ItemState }} item
 * @returns {boolean}
 */
export function isBad({ state }) {
  return state === "failed" || state === "refused";
}

/**
 * Count the items for the buttons below the list.
 * @param {Iterable<{ state: ItemState }>} items
 * @returns {{ good: number, failed: number, unsent: number }} `unsent` counts items that wait or are being uploaded
 */
export function countItems(items) {
  const counts = { good: 0, failed: 0, unsent: 0 };
  for (const item of items) {
    if (!isBad(item)) counts.good += 1;
    if (item.state === "failed") counts.failed += 1;
    if (item.state === "waiting" || item.state === "sending") counts.unsent += 1;
  }
  return counts;
}

/**
 * Return the settings of uploads with their own settings, by upload id.
 * @param {Iterable<{ id: string | null, settings: Partial<Options> }>} items
 * @returns {Record<string, Partial<Options>>}
 */
export function ownSettings(items) {
  const own = [...items].filter(({ id, settings }) => id && Object.keys(settings).length > 0);
  return Object.fromEntries(own.map(({ id, settings }) => [id, settings]));
}

/**
 * Return the ids of the complete uploads, in the order in which the files were chosen.
 * @param {Iterable<{ id: string | null }>} items
 * @returns {string[]}
 */
export function uploadIds(items) {
  return [...items].flatMap((item) => (item.id ? [item.id] : []));
}
