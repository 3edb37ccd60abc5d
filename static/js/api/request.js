// Requests to the native API. Every failure is an ApiError, whose message can be shown unchanged.
import { gettext } from "../page/texts.js";

/**
 * @typedef {object} Problem a problem document (RFC 9457)
 * @property {string} [title]
 * @property {string} [detail]
 * @property {string} [code]
 */

/** @typedef {{ status?: number, code?: string, retryAfterSeconds?: number }} ErrorFacts */

/** A request that failed. `status` is 0 when there was no response. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {ErrorFacts} [facts]
   */
  constructor(message, { status = 0, code = "", retryAfterSeconds = 0 } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Return the CSRF token. The cookie has precedence: after a sign-in in another tab, the page's field is outdated.
 * @returns {string}
 */
export function csrfToken() {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
  const field = document.querySelector("[name=csrfmiddlewaretoken]");
  return cookie ?? (field instanceof HTMLInputElement ? field.value : "");
}

/**
 * Return the error for a response's status, its problem document (if any) and its Retry-After header.
 * @param {number} status
 * @param {Problem | null} problem
 * @param {string | null} retryAfter
 * @returns {ApiError}
 */
export function errorOf(status, problem, retryAfter) {
  const signedOut = gettext("You are signed out. Sign in again in another tab, then continue here.");
  const message = status === 401 ? signedOut : problem?.detail || problem?.title || `${status}`;
  return new ApiError(message, { status, code: problem?.code, retryAfterSeconds: Number(retryAfter) || 0 });
}

/** @typedef {{ json?: unknown, form?: FormData, signal?: AbortSignal }} RequestParts */

/**
 * Send a request; throw ApiError for an error response, and when there is no response.
 * @param {string} method
 * @param {string} url
 * @param {RequestParts} [parts]
 * @returns {Promise<Response>}
 */
export async function call(method, url, { json, form, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = { "X-CSRFToken": csrfToken() };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = json === undefined ? form : JSON.stringify(json);
  const response = await answered(fetch(url, { method, headers, body, signal }));
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw errorOf(response.status, problem, response.headers.get("Retry-After"));
}

/**
 * Send a request and return the JSON of its response; null for a response without content.
 * @param {string} method
 * @param {string} url
 * @param {RequestParts} [parts]
 * @returns {Promise<any>}
 */
export async function callJson(method, url, parts) {
  const response = await call(method, url, parts);
  return response.status === 204 ? null : answered(response.json());
}

/**
 * Convert the TypeError that fetch throws for a lost connection to an ApiError. Use it only around fetch and around
 * the reading of its body, because elsewhere a TypeError is a fault of the script.
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function answered(promise) {
  return promise.catch((error) => {
    throw error instanceof TypeError ? connectionLost() : error;
  });
}

/** @returns {ApiError} */
function connectionLost() {
  return new ApiError(gettext("The connection was lost. Try again."), { code: "connection_lost" });
}

/**
 * Post a form and report how much of it has been sent, which fetch cannot report.
 * @param {string} url
 * @param {FormData} form
 * @param {(share: number) => void} onProgress called with a share from 0 to 1
 * @returns {Promise<any>} the JSON of the response
 */
export function upload(url, form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response ?? {});
      else reject(errorOf(request.status, request.response, request.getResponseHeader("Retry-After")));
    });
    request.addEventListener("error", () => reject(connectionLost()));
    request.send(form);
  });
}
