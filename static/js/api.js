// Talk to the native API: one way to send, one kind of error, whose message can be shown as it is.
export class ApiError extends Error {
  constructor(message, { status = 0, code = "" } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function csrfToken() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

async function problemOf(response) {
  try {
    const problem = await response.json();
    return new ApiError(problem.detail || problem.title || response.statusText, { status: response.status, code: problem.code });
  } catch {
    return new ApiError(`${response.status} ${response.statusText}`, { status: response.status });
  }
}

export async function call(method, url, { json, form, signal } = {}) {
  const headers = { "X-CSRFToken": csrfToken() };
  let body = form;
  if (json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(json);
  }
  const response = await fetch(url, { method, headers, body, signal });
  if (!response.ok) throw await problemOf(response);
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
      const answer = request.response ?? {};
      if (request.status >= 200 && request.status < 300) resolve(answer);
      else reject(new ApiError(answer.detail || `${request.status}`, { status: request.status, code: answer.code }));
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
