// Texts in the reader's language, from the catalogue that Django serves (`manage.py makemessages -d djangojs`). Without
// the catalogue the texts are English.

/** @type {{ gettext?: (text: string) => string, ngettext?: (one: string, many: string, count: number) => string }} */
const catalogue = /** @type {any} */ (globalThis).django ?? {};

/**
 * Return a text in the reader's language.
 * @param {string} text
 * @returns {string}
 */
export function gettext(text) {
  return catalogue.gettext?.(text) ?? text;
}

/**
 * Return the text for a count in the reader's language.
 * @param {string} one
 * @param {string} many
 * @param {number} count
 * @returns {string}
 */
export function ngettext(one, many, count) {
  return catalogue.ngettext?.(one, many, count) ?? (count === 1 ? one : many);
}

/**
 * Return a text with values in place of its `{name}` placeholders.
 * @param {string} text
 * @param {Record<string, string | number>} values
 * @returns {string}
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}
