// The check of the audit trail: its progress, and what was found. The server sends a line of JSON for each step.

/** @typedef {{ problems: string[], count: number, total: number, last_number: number, last_hash: string }} Step */

const form = document.getElementById("kl-verify");
const verdict = document.getElementById("kl-verdict");

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/**
 * Yield the parsed lines of a response as they arrive.
 * @param {Response} response
 * @returns {AsyncGenerator<Step>}
 */
async function* linesOf(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
    if (done) return;
  }
}

/**
 * @param {HTMLFormElement} target
 * @param {HTMLElement} shown
 */
async function verify(target, shown) {
  const [progress, text, list] = ["progress", "p", "ul"].map((name) => shown.querySelector(name));
  if (!(progress instanceof HTMLProgressElement) || !text || !list) return;
  const texts = target.dataset;
  const show = (/** @type {string} */ state, /** @type {string} */ message) => {
    shown.dataset.state = state;
    text.textContent = message;
  };
  shown.hidden = false;
  progress.value = 0;
  list.replaceChildren();
  show("running", filled(texts.running ?? "", { count: 0, total: "…" }));
  /** @type {Step | null} */
  let last = null;
  try {
    const response = await fetch(target.action, { method: "POST", body: new FormData(target) });
    if (!response.ok) throw new Error(String(response.status));
    for await (const step of linesOf(response)) {
      last = step;
      progress.max = Math.max(1, step.total);
      progress.value = step.count;
      show("running", filled(texts.running ?? "", { ...step, problems: "" }));
    }
  } catch {
    last = null;
  }
  if (!last) show("bad", texts.failed ?? "");
  else if (!last.problems.length) show("good", filled(texts.good ?? "", { count: last.count }));
  else {
    show("bad", texts.bad ?? "");
    list.append(...last.problems.map((problem) => Object.assign(document.createElement("li"), { textContent: problem })));
  }
  if (last) progress.value = progress.max;
}

if (form instanceof HTMLFormElement && verdict) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void verify(form, verdict);
  });
}
