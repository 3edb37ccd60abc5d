// The draft of a result: the cutout at screen size, which a worker makes before the full-size files.

import { sleep } from "./waiting.js";

/** @typedef {import("../api/job.js").Job} Job */
/** @typedef {import("../api/job.js").JobImage} JobImage */

const NOT_YET = 202;
const PAUSE_MS = 500; // a server that cannot hold requests responds immediately

/**
 * Wait for the draft of a picture; return null if there is none. A lost draft is no error, because the result follows.
 * @param {Job} job
 * @param {JobImage} image
 * @param {object} wait
 * @param {AbortSignal} wait.signal aborted when the draft is no longer wanted
 * @param {number} wait.waitSeconds the longest wait of one request
 * @param {(url: string, init: RequestInit) => Promise<Response>} [wait.get]
 * @param {(pauseMs: number) => Promise<unknown>} [wait.pause]
 * @returns {Promise<Blob | null>}
 */
export async function getDraft(job, image, { signal, waitSeconds, get = getResponse, pause = sleep }) {
  const url = `/jobs/${job.id}/${image.position}/draft?wait=${waitSeconds}`;
  try {
    let response = await get(url, { signal });
    while (response.status === NOT_YET) {
      await pause(PAUSE_MS);
      response = await get(url, { signal });
    }
    return response.status === 200 ? await response.blob() : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<Response>}
 */
function getResponse(url, init) {
  return fetch(url, init);
}
