// The quality follows what a run asks for: each role has its own fine model, or none.

/** @typedef {import("../api/job.js").Options} Options */

/** The role whose models answer each method (jobs/inference/quality.py). @type {Readonly<Record<string, string>>} */
const ROLES = Object.freeze({ auto: "subject", boxes: "prompts", points: "prompts", instances: "people" });

/**
 * Return the wanted quality if a run with this method may use it, else "fast".
 * @param {Options["quality"]} wanted
 * @param {Options["method"]} method
 * @param {string[]} fineRoles the roles that have a fine model
 * @returns {Options["quality"]}
 */
export function qualityFor(wanted, method, fineRoles) {
  return fineRoles.includes(ROLES[method]) ? wanted : "fast";
}

/**
 * Enable the qualities that the models offer for a method. If the chosen one is not among them, choose the first.
 * @param {Pick<HTMLSelectElement, "options" | "value">} select each option names its roles in `data-roles`
 * @param {Options["method"]} method
 */
export function showQualitiesFor(select, method) {
  const options = [...select.options];
  for (const option of options) option.disabled = !(option.dataset.roles ?? "").split(" ").includes(ROLES[method]);
  const isOffered = options.some(({ value, disabled }) => value === select.value && !disabled);
  if (!isOffered) select.value = options.find(({ disabled }) => !disabled)?.value ?? select.value;
}
