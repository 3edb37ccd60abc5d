// A job as the native API returns it (jobs/api/native/documents.py), and the values that the pages read from it.

/** @typedef {[number, number, number, number]} Box left, top, right, bottom in whole pixels of the upright picture */
/** @typedef {[number, number, 0 | 1]} Point a click at x, y: 1 keeps this place, 0 removes it */
/** @typedef {"queued" | "running" | "succeeded" | "failed" | "canceled"} Status */

/**
 * @typedef {object} Options the options that the API accepts and stores (segmentation/options.py)
 * @property {"auto" | "boxes" | "points" | "instances"} method
 * @property {Box[]} boxes
 * @property {Point[]} points
 * @property {"fast" | "fine" | "auto" | null} quality
 * @property {string} subject
 * @property {string} alpha_mode
 * @property {number} threshold
 * @property {number} erosion
 * @property {boolean} feathering
 * @property {boolean} decontaminate
 * @property {string[]} outputs
 * @property {string} format
 * @property {string | null} background
 * @property {boolean} crop
 * @property {number} crop_margin
 */

/** @typedef {{ kind: string, url: string, content_type: string, bytes: number }} StoredFile */
/** @typedef {{ id: number, box: Box, score: number }} Instance one person; the score is 0 to 1 */
/** @typedef {{ code: string, detail: string }} Failure */

/**
 * @typedef {object} JobImage
 * @property {string} id
 * @property {number} position
 * @property {string} name
 * @property {Status} status
 * @property {Failure | null} error
 * @property {Partial<Options>} settings the picture's options that differ from the job's options
 * @property {number | null} width
 * @property {number | null} height
 * @property {Box | null} foreground the box around the subject
 * @property {Instance[]} instances
 * @property {string[]} notes notes about the picture or its result
 * @property {StoredFile[]} files oldest first
 */

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {Status} status
 * @property {Options} options
 * @property {number} images_total
 * @property {JobImage[]} images
 */

const TERMINAL = new Set(["succeeded", "failed", "canceled"]);

/**
 * Return the picture with an id; the first one if the job has no such picture.
 * @param {Job} job
 * @param {string} id
 * @returns {JobImage}
 */
export function imageIn(job, id) {
  return job.images.find((image) => image.id === id) ?? job.images[0];
}

/**
 * Return a job with the options of one of its pictures, which may have its own settings.
 * @param {Job} job
 * @param {JobImage} image
 * @returns {Job}
 */
export function jobOf(job, image) {
  const hasOwn = Object.keys(image.settings ?? {}).length > 0;
  return hasOwn ? { ...job, options: { ...job.options, ...image.settings } } : job;
}

/**
 * Return whether a picture or job has reached its last status.
 * @param {{ status: Status }} subject
 * @returns {boolean}
 */
export function hasEnded({ status }) {
  return TERMINAL.has(status);
}

/**
 * Return the link to the newest file of one kind; "" if there is none.
 * @param {JobImage} image
 * @param {string} kind
 * @returns {string}
 */
export function linkTo(image, kind) {
  return image.files.filter((file) => file.kind === kind).at(-1)?.url ?? "";
}

const SHOWN_TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/bmp"];

const LARGE_PIXELS = 4_000_000;

/**
 * Return the link to the original: its preview for screens, which every browser can read. Without a preview, as before
 * the end of the first run, it is the file, or a small copy if browsers cannot show the file (HEIC, TIFF) or would need
 * long to load and decode it.
 * @param {JobImage} image
 * @returns {string}
 */
export function linkToOriginal(image) {
  const preview = linkTo(image, "preview");
  const source = image.files.filter(({ kind }) => kind === "source").at(-1);
  if (preview || !source) return preview;
  const isLarge = (image.width ?? 0) * (image.height ?? 0) >= LARGE_PIXELS;
  const isShown = SHOWN_TYPES.includes(source.content_type) && !isLarge;
  return isShown ? source.url : `/gallery/original/${image.id}`;
}

/**
 * Return whether the model found nothing to keep.
 * @param {JobImage} image
 * @returns {boolean}
 */
export function isEmptyResult({ status, foreground }) {
  return status === "succeeded" && foreground === null;
}

/**
 * Return a job's URL in the API, or that of one of its actions.
 * @param {Job} job
 * @param {"" | "variants" | "versions/" | "again" | "cancel"} [action]
 * @returns {string}
 */
export function jobUrl(job, action = "") {
  return `/api/jobs/${job.id}/${action}`;
}

/**
 * Return the people of a picture; null when the job did not search for people.
 * @param {Job} job
 * @param {JobImage} image
 * @returns {Instance[] | null}
 */
export function peopleIn(job, image) {
  return job.options.method === "instances" ? image.instances : null;
}

/**
 * Return the clicks that a job was submitted with.
 * @param {Job} job
 * @returns {Point[]}
 */
export function pointsOf({ options }) {
  return options.points ?? [];
}

/**
 * Return the boxes that a job was submitted with.
 * @param {Job} job
 * @returns {Box[]}
 */
export function boxesOf(job) {
  return job.options.method === "boxes" ? job.options.boxes : [];
}
