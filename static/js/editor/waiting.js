// Wait for the end of one picture of a job, through lost connections.
import { hasEnded, imageIn, jobUrl } from "../api/job.js";
import { ApiError, callJson } from "../api/request.js";

/** @typedef {import("../api/job.js").Job} Job */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;

/** @param {number} pauseMs */
export const sleep = (pauseMs) => new Promise((resolve) => setTimeout(resolve, pauseMs));

/**
 * Request a job until one of its pictures has ended, and return the job; return null when it is no longer wanted. Throw
 * the ApiError of a refusal (4xx); retry after every other failure.
 * @param {Job} job
 * @param {string} imageId
 * @param {object} calls
 * @param {number} calls.waitSeconds the longest wait of one request; the server responds earlier when the job ends
 * @param {() => boolean} calls.isWanted
 * @param {(job: Job) => void} calls.onWait called before each request
 * @param {() => void} calls.onLost called when a request got no response
 * @param {(url: string) => Promise<Job>} [calls.get]
 * @param {(pauseMs: number) => Promise<unknown>} [calls.pause]
 * @returns {Promise<Job | null>}
 */
export async function waitForEnd(job, imageId, { waitSeconds, isWanted, onWait, onLost, get = getJob, pause = sleep }) {
  let pauseMs = FIRST_PAUSE_MS;
  while (!hasEnded(imageIn(job, imageId))) {
    onWait(job);
    try {
      job = await get(`${jobUrl(job)}?wait=${waitSeconds}`);
      pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      if (!isWanted()) return null;
      if (isRefusal(error)) throw error;
      onLost();
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
    if (!isWanted()) return null;
  }
  return job;
}

/**
 * @param {string} url
 * @returns {Promise<Job>}
 */
function getJob(url) {
  return callJson("GET", url);
}

/**
 * @param {unknown} error
 * @returns {boolean}
 */
function isRefusal(error) {
  return error instanceof ApiError && error.status >= 400 && error.status < 500;
}
