// The draft of a result: the cutout at screen size, which a worker makes before the full-size files.

/** @typedef {import("../api/job.js").Job} Job */
/** @typedef {import("../api/job.js").JobImage} JobImage */

const NOT_YET = 202;

/**
 * Wait for the draft of a picture; return null if there is none. A lost draft is no error, because the result follows.
 * @param {Job} job
 * @param {JobImage} image
 * @param {object} wait
 * @param {AbortSignal} wait.signal aborted when the draft is no longer wanted
 * @param {number} wait.waitSeconds the longest wait of one request
 * @param {(url: string, init: RequestInit) => Promise<Response>} [wait.get]
 * @returns {Promise<Blob | null>}
 */
export async function getDraft(job, image, { signal, waitSeconds, get = (url, init) => fetch(url, init) }) {
  const url = `/jobs/${job.id}/${image.position}/draft?wait=${waitSeconds}`;
  try {
    let response = await get(url, { signal });
    while (response.status === NOT_YET) response = await get(url, { signal });
    return response.status === 200 ? await response.blob() : null;
  } catch {
    return null;
  }
}
