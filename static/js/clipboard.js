// Copying text. Browsers open the clipboard to pages over HTTPS alone, and may refuse even there: whoever calls this then
// shows the text selected, to be copied by hand.
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
