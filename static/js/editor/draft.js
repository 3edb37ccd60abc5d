// The draft of a result: the cutout at screen size, which a worker makes before the full-size files.

/** @typedef {import("../api/job.js").Job} Job */
/** @typedef {import("../api/job.js").JobImage} JobImage */

const WAIT_SECONDS = 20;

/**
 * Wait for the draft of a picture; return null if there is none. A lost draft is no error, because the result follows.
 * @param {Job} job
 * @param {JobImage} image
 * @param {AbortSignal} signal
 * @returns {Promise<Blob | null>}
 */
export async function getDraft(job, image, signal) {
  const url = `/jobs/${job.id}/${image.position}/draft?wait=${WAIT_SECONDS}`;
  try {
    const response = await fetch(url, { signal });
    return response.status === 200 ? await response.blob() : null;
  } catch {
    return null;
  }
}
