// Copy text. Browsers allow this only on HTTPS pages, and may refuse it even there.

/**
 * Copy a text and return whether the browser allowed it; if not, the caller shows the text and selects it.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
