// Follow one pointer from where it was pressed. Others are ignored; a second finger, which zooms, ends the drag.

/**
 * Call `onMove` with each movement of the pointer, in CSS pixels of the window.
 * @param {PointerEvent} down
 * @param {(dx: number, dy: number, event: PointerEvent) => void} onMove
 */
export function followDrag(down, onMove) {
  let last = [down.clientX, down.clientY];
  const ending = new AbortController();
  const { signal } = ending;
  const isOurs = (/** @type {PointerEvent} */ event) => event.pointerId === down.pointerId;
  window.addEventListener(
    "pointermove",
    (event) => {
      if (!isOurs(event)) return;
      onMove(event.clientX - last[0], event.clientY - last[1], event);
      last = [event.clientX, event.clientY];
    },
    { signal },
  );
  const endOurs = (/** @type {PointerEvent} */ event) => isOurs(event) && ending.abort();
  window.addEventListener("pointerup", endOurs, { signal });
  window.addEventListener("pointercancel", endOurs, { signal });
  window.addEventListener("pointerdown", (event) => !isOurs(event) && ending.abort(), { signal });
}
