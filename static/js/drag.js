// One pointer's way from where it went down. Other fingers are not followed, and a second one, which zooms, ends it.
export function followDrag(down, onMove) {
  let last = [down.clientX, down.clientY];
  const ending = new AbortController();
  const { signal } = ending;
  window.addEventListener("pointermove", (event) => {
    if (event.pointerId !== down.pointerId) return;
    onMove(event.clientX - last[0], event.clientY - last[1], event);
    last = [event.clientX, event.clientY];
  }, { signal });
  for (const kind of ["pointerup", "pointercancel"]) window.addEventListener(kind, (event) => event.pointerId === down.pointerId && ending.abort(), { signal });
  window.addEventListener("pointerdown", (event) => event.pointerId !== down.pointerId && ending.abort(), { signal });
}
