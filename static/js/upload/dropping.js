// Files and links that are dropped on the page or pasted into it.
import { isArchive } from "./archives.js";
import { mayBePicture } from "./items.js";

const LINK = /^https?:\/\/\S+$/;

/** @typedef {{ file: File, folder: string }} Found a file and the path of its folder */
/** @typedef {{ onFiles: (files: Iterable<File | Found>) => void, onLink: (url: string) => void }} DropCalls */

/** @param {DropCalls} calls */
export function wireDropping({ onFiles, onLink }) {
  let depth = 0; // each element under the pointer has its own enter and leave events
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  const mark = (/** @type {number} */ change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dragging", depth > 0);
  };
  document.addEventListener("dragenter", (event) => hasFiles(event) && mark(1));
  document.addEventListener("dragleave", (event) => hasFiles(event) && mark(-1));
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", async (event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    mark(-depth);
    const { files, items } = event.dataTransfer; // empty after this handler has returned
    const entries = [...items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
    onFiles(entries.some((entry) => entry.isDirectory) ? await picturesIn(entries) : [...files]);
  });
  document.addEventListener("paste", (event) => {
    const { clipboardData, target } = event;
    if (clipboardData?.files.length) {
      onFiles([...clipboardData.files]);
      return;
    }
    const text = clipboardData?.getData("text").trim() ?? "";
    if (LINK.test(text) && !(target instanceof Element && target.matches("input, textarea"))) onLink(text);
  });
}

/**
 * Return the pictures and zips in files and folders, including folders inside folders.
 * @param {FileSystemEntry[]} entries
 * @param {string} [folder]
 * @returns {Promise<Found[]>}
 */
export async function picturesIn(entries, folder = "") {
  /** @type {Found[]} */
  const found = [];
  for (const entry of entries) {
    if (entry.isFile) {
      found.push({ file: await fileOf(/** @type {FileSystemFileEntry} */ (entry)), folder });
    } else {
      const children = await childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry));
      found.push(...(await picturesIn(children, folder ? `${folder}/${entry.name}` : entry.name)));
    }
  }
  return found.filter(({ file }) => mayBePicture(file) || isArchive(file));
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File>}
 */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/**
 * Return all entries of a folder; a reader returns them in parts, of which the last one is empty.
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function childrenOf(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return all;
    all.push(...part);
  }
}
