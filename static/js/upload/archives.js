// Unpack the pictures of a zip in the browser, so that each picture has its own row, progress and error.
import { mayBePicture } from "./items.js";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT = 65_535;
const STORED = 0;
const DEFLATED = 8;
const IS_ENCRYPTED = 0x1;
const IS_UTF8 = 0x800;
const LITTER = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/i;

/** A zip that cannot be unpacked in the browser. */
export class ArchiveError extends Error {}

/**
 * @typedef {object} Entry
 * @property {string} name with its folders
 * @property {number} method
 * @property {number} packed bytes in the archive
 * @property {number} size bytes of the file
 * @property {number} offset of its local header
 */

/**
 * Return whether a chosen file is a zip.
 * @param {{ type: string, name: string }} file
 * @returns {boolean}
 */
export function isArchive({ type, name }) {
  return /\.zip$/i.test(name) || type === "application/zip" || type === "application/x-zip-compressed";
}

/**
 * Return the pictures of a zip as files with their folders; at most `maxFiles`, and none that unpacks to more than
 * `maxBytes`. Throw ArchiveError for a file that is not a zip, for an encrypted zip, and for one of more than 4 GB.
 * @param {File} archive
 * @param {{ maxFiles: number, maxBytes: number }} limits
 * @returns {Promise<{ file: File, folder: string }[]>}
 */
export async function picturesInArchive(archive, { maxFiles, maxBytes }) {
  const entries = entriesIn(await directoryOf(archive));
  const wanted = entries.filter(({ name, size }) => size > 0 && !LITTER.test(name) && mayBePicture({ name, type: "" }));
  const found = [];
  for (const entry of wanted.slice(0, maxFiles)) {
    if (entry.size > maxBytes) continue;
    const at = entry.name.lastIndexOf("/");
    const content = await unpacked(archive, entry, maxBytes);
    found.push({ file: new File([content], entry.name.slice(at + 1)), folder: entry.name.slice(0, Math.max(0, at)) });
  }
  return found;
}

/**
 * Return the archive's directory, which is at its end.
 * @param {Blob} archive
 * @returns {Promise<DataView>}
 */
async function directoryOf(archive) {
  const tail = new DataView(await archive.slice(-(END_BYTES + MAX_COMMENT)).arrayBuffer());
  for (let at = tail.byteLength - END_BYTES; at >= 0; at -= 1) {
    if (tail.getUint32(at, true) !== END) continue;
    const [size, offset] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
    if (offset + size > archive.size) break;
    return new DataView(await archive.slice(offset, offset + size).arrayBuffer());
  }
  throw new ArchiveError("no zip archive");
}

/**
 * Read the entries of a directory; folders and encrypted files are skipped.
 * @param {DataView} directory
 * @returns {Entry[]}
 */
export function entriesIn(directory) {
  /** @type {Entry[]} */
  const entries = [];
  let at = 0;
  while (at + ENTRY_BYTES <= directory.byteLength && directory.getUint32(at, true) === ENTRY) {
    const flags = directory.getUint16(at + 8, true);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((place) => directory.getUint16(at + place, true));
    const raw = new Uint8Array(directory.buffer, directory.byteOffset + at + ENTRY_BYTES, nameBytes);
    const name = nameOf(raw, (flags & IS_UTF8) !== 0);
    if (flags & IS_ENCRYPTED) throw new ArchiveError("encrypted");
    if (!name.endsWith("/")) {
      entries.push({
        name,
        method: directory.getUint16(at + 10, true),
        packed: directory.getUint32(at + 20, true),
        size: directory.getUint32(at + 24, true),
        offset: directory.getUint32(at + 42, true),
      });
    }
    at += ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

/**
 * Return a name as text. Names that are not UTF-8 are most often from a Chinese Windows.
 * @param {Uint8Array} raw
 * @param {boolean} isUtf8
 * @returns {string}
 */
function nameOf(raw, isUtf8) {
  const decoded = (/** @type {string} */ label, fatal = false) => new TextDecoder(label, { fatal }).decode(raw);
  let name;
  try {
    name = decoded("utf-8", !isUtf8);
  } catch {
    name = decoded("gb18030");
  }
  return name.replaceAll("\\", "/");
}

/**
 * @param {Blob} archive
 * @param {Entry} entry
 * @param {number} maxBytes
 * @returns {Promise<Blob>}
 */
async function unpacked(archive, { method, packed, offset }, maxBytes) {
  const header = new DataView(await archive.slice(offset, offset + LOCAL_BYTES).arrayBuffer());
  const start = offset + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  const content = archive.slice(start, start + packed);
  if (method === STORED) return content;
  if (method !== DEFLATED) throw new ArchiveError("unknown compression");
  return new Response(
    content.stream().pipeThrough(new DecompressionStream("deflate-raw")).pipeThrough(atMost(maxBytes)),
  ).blob();
}

/**
 * Return a stream that fails after more than `maxBytes`, because the sizes in the directory may be wrong.
 * @param {number} maxBytes
 * @returns {TransformStream<Uint8Array, Uint8Array>}
 */
function atMost(maxBytes) {
  let passed = 0;
  return new TransformStream({
    transform(chunk, controller) {
      passed += chunk.byteLength;
      if (passed > maxBytes) controller.error(new ArchiveError("larger than its directory says"));
      else controller.enqueue(chunk);
    },
  });
}
