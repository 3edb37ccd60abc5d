// Talk to the native API: one way to send, one kind of error, whose message can be shown as it is.
export class ApiError extends Error {
  constructor(message, { status = 0, code = "", retryAfterSeconds = 0 } = {}) {
    super(message);
    Object.assign(this, { status, code, retryAfterSeconds });
  }
}

// The cookie comes first: signing in from another tab has changed it, and the page's own field is out of date.
export function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

// What went wrong, from an answer's status, its problem document (if it is one) and its Retry-After.
function errorOf(status, problem, retryAfter) {
  const signedOut = status === 401 ? document.getElementById("toasts").dataset.signedOut : "";
  const message = signedOut || problem?.detail || problem?.title || `${status}`;
  return new ApiError(message, { status, code: problem?.code, retryAfterSeconds: Number(retryAfter) || 0 });
}

export async function call(method, url, { json, form, signal } = {}) {
  const headers = { "X-CSRFToken": csrfToken() };
  let body = form;
  if (json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(json);
  }
  const response = await fetch(url, { method, headers, body, signal });
  if (!response.ok) throw errorOf(response.status, await response.json().catch(() => null), response.headers.get("Retry-After"));
  return response;
}

export async function callJson(method, url, options) {
  const response = await call(method, url, options);
  return response.status === 204 ? null : response.json();
}

// XMLHttpRequest, because fetch tells nothing about how much of an upload has gone.
export function upload(url, form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response ?? {});
      else reject(errorOf(request.status, request.response, request.getResponseHeader("Retry-After")));
    });
    request.addEventListener("error", () => reject(new ApiError("", { code: "connection_lost" })));
    request.send(form);
  });
}

export function toast(text, { action = "", onAction = null } = {}) {
  const item = document.createElement("div");
  item.className = "toast";
  item.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: action });
    button.addEventListener("click", () => { item.remove(); onAction(); });
    item.append(button);
  }
  document.getElementById("toasts").append(item);
  setTimeout(() => item.remove(), 6000);
}
