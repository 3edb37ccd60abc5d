// Rules for failed uploads: pure functions of seconds and status codes.

export const MAX_TRIES = 5; // uploads of one file
const FIRST_PAUSE_SECONDS = 2;
export const LONGEST_PAUSE_SECONDS = 60;
const SIGNED_OUT_OR_SLOW = new Set([401, 403, 408]);

/** @typedef {{ status: number, retryAfterSeconds: number }} Refusal */

/**
 * Return what to do after an error: "refuse" this file, "pause" all uploads for a while, or "stop" them until the
 * visitor continues them (after a sign-out, or when the server requires a very long wait).
 * @param {Refusal} error
 * @returns {"refuse" | "pause" | "stop"}
 */
export function afterError({ status, retryAfterSeconds }) {
  if (status >= 400 && status < 429 && !SIGNED_OUT_OR_SLOW.has(status)) return "refuse";
  const isTemporary = status === 0 || status === 429 || status >= 500;
  return isTemporary && retryAfterSeconds <= LONGEST_PAUSE_SECONDS ? "pause" : "stop";
}

/**
 * Return the next pause in seconds: twice the last one up to the longest, or the server's Retry-After.
 * @param {number} lastSeconds 0 before the first pause
 * @param {number} retryAfterSeconds
 * @returns {number}
 */
export function nextPause(lastSeconds, retryAfterSeconds) {
  return Math.max(retryAfterSeconds, Math.min(lastSeconds * 2 || FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS));
}
