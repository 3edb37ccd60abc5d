"""Computation of the canvas's size and of the subject's place on it. The functions do not change pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from segmentation.finish.recipe import Align, Canvas, Head, Placement
from segmentation.options import Box
from segmentation.postprocess import foreground_box

OPTICAL_HEIGHT = 0.47  # share of the canvas's height, from the top: slightly above the middle
_WEIGHT_PULL = 0.5  # how far the optical centre is from the middle of the box towards the centre of mass
_MOST_SHIFT = 0.15  # share of the free space: how far the optical centre may move a subject from the middle
# Shares found on 13 portraits, in which the chin was measured by eye.
_EARS = 0.9  # of a head's width: rows from the crown in which the head has been at its widest
_NECK = (0.8, 2.0)  # of a head's width: rows from the crown in which the neck is
_CHIN_PER_NECK = 1.04  # of the neck's row: a collar or the shoulders begin beside the chin
_LEAST_HEAD = 1.1  # of a head's width with the hair: its least usual height
_HEAD_WITHOUT_NECK = 1.15  # of a head's width: its height under long hair
_HEAD_PER_SHOULDERS = 0.6  # of the widest row: the height of a head under long hair is at most that
_OPAQUE = 127


@dataclass(frozen=True, slots=True)
class Place:
    """The source's place on the canvas: the source's point (x, y) is at (left + x * scale, top + y * scale).

    width, height: the canvas's size in pixels.
    subject: the subject's box in the source; None if there is no subject.
    notes: sentences about requirements that were not met.
    unmoved: the place before the user moved or scaled the subject; None if the user changed nothing.
    """

    width: int
    height: int
    scale: float
    left: float
    top: float
    subject: Box | None
    notes: tuple[str, ...] = ()
    unmoved: Place | None = None

    def on_canvas(self, box: Box) -> tuple[float, float, float, float]:
        """Return a box of the source as left, top, right and bottom on the canvas, in pixels."""
        return (
            self.left + box.left * self.scale,
            self.top + box.top * self.scale,
            self.left + box.right * self.scale,
            self.top + box.bottom * self.scale,
        )


def place(alpha: np.ndarray, canvas: Canvas, placement: Placement) -> Place:
    """Return the place of the subject on a recipe's canvas, as the recipe's placement requires.

    alpha: the subject's alpha in the source, (H, W) uint8. If it shows no subject, the whole picture is placed.

    The placement's `max_enlargement` limits the scale. If it reduces the scale, the result contains a note about it.
    The user's zoom and shift are applied last, and are not limited by `max_enlargement` and the margins.
    """
    placed = _placed(alpha, canvas, placement)
    zoom, (shift_x, shift_y) = placement.zoom, placement.shift
    if zoom == 1 and shift_x == 0 and shift_y == 0:
        return placed
    middle_x, middle_y = placed.width / 2, placed.height / 2
    return replace(
        placed,
        scale=placed.scale * zoom,
        left=middle_x + (placed.left - middle_x) * zoom + shift_x * placed.width,
        top=middle_y + (placed.top - middle_y) * zoom + shift_y * placed.height,
        unmoved=placed,
    )


def _placed(alpha: np.ndarray, canvas: Canvas, placement: Placement) -> Place:
    """Return the place before the user's zoom and shift."""
    height, width = alpha.shape
    subject = foreground_box(alpha)
    frame = subject or Box(0, 0, max(width, 2), max(height, 2))
    if canvas.ratio is None and placement.fill is None and placement.align is not Align.HEAD:
        scale = min(1.0, canvas.max_side_px / max(width, height))
        return Place(max(1, round(width * scale)), max(1, round(height * scale)), scale, 0.0, 0.0, subject)
    if placement.align is Align.HEAD and subject is not None:
        return _place_head(alpha, frame, canvas, placement)
    if placement.fill is None:
        return _keep_framing(width, height, subject, canvas)
    # A faint shadow or fringe takes no room: only opaque pixels count for the share that the rules check.
    frame = foreground_box(np.where(alpha > _OPAQUE, alpha, 0).astype(np.uint8)) or frame
    canvas_width, canvas_height, scale = _sized(alpha, frame, canvas, placement)
    notes: list[str] = []
    if scale > placement.max_enlargement:
        scale = placement.max_enlargement
        notes.append("placement: max_enlargement is reached, so the subject fills less than the recipe says")
    left, top = _aligned(alpha, frame, scale, canvas_width, canvas_height, placement)
    return Place(canvas_width, canvas_height, scale, left, top, subject, tuple(notes))


def _keep_framing(width: int, height: int, subject: Box | None, canvas: Canvas) -> Place:
    """Return the place of the whole source on the canvas: as large as fits, and centred.

    It is used for recipes without `placement.fill`.

    width, height: the source's size in pixels.
    subject: the subject's box, which is stored in the result; None if there is no subject.
    """
    canvas_width, canvas_height = _canvas_size(canvas, width, height)
    scale = min(canvas_width / width, canvas_height / height)
    left, top = (canvas_width - width * scale) / 2, (canvas_height - height * scale) / 2
    return Place(canvas_width, canvas_height, scale, left, top, subject)


def _canvas_size(canvas: Canvas, needed_width: float, needed_height: float) -> tuple[int, int]:
    """Return the canvas's width and height in pixels.

    needed_width, needed_height: the size in pixels that the content needs.

    If the recipe gives an exact size, return it. Otherwise enlarge the needed size to the recipe's aspect ratio. Then
    scale the result so that the longer side is from `min_side_px` to `max_side_px` pixels long.
    """
    if canvas.width_px is not None and canvas.height_px is not None:
        return canvas.width_px, canvas.height_px
    ratio = canvas.ratio or needed_width / max(needed_height, 1)
    height = max(needed_height, needed_width / ratio)
    width = height * ratio
    longer = max(width, height)
    factor = min(max(longer, canvas.min_side_px), canvas.max_side_px) / longer
    return max(1, round(width * factor)), max(1, round(height * factor))


def _sized(alpha: np.ndarray, frame: Box, canvas: Canvas, placement: Placement) -> tuple[int, int, float]:
    """Return the canvas's width and height in pixels, and the scale at which the subject fills its share of the canvas.

    The share is `placement.fill`. If the subject would extend into the margins at this scale, the scale is reduced.

    frame: the subject's box in the source.
    """
    fill = placement.fill or 1.0
    box_width, box_height = frame.right - frame.left, frame.bottom - frame.top
    canvas_width, canvas_height = _canvas_size(canvas, box_width / fill, box_height / fill)
    scale = fill * min(canvas_width / box_width, canvas_height / box_height)
    if placement.fill_by == "area":
        area = float(alpha.sum(dtype=np.float64)) / 255
        scale = (fill * canvas_width * canvas_height / max(area, 1.0)) ** 0.5
    free = 1 - 2 * placement.margin
    shorter = min(canvas_width, canvas_height)
    roomy_width = canvas_width - (1 - free) * shorter
    roomy_height = canvas_height - (1 - free) * shorter
    return canvas_width, canvas_height, min(scale, roomy_width / box_width, roomy_height / box_height)


def _aligned(
    alpha: np.ndarray, frame: Box, scale: float, width: int, height: int, placement: Placement
) -> tuple[float, float]:
    """Return the position of the source's top left corner on the canvas, for the requested alignment.

    frame: the subject's box in the source.

    The subject stays inside the canvas's margins if it fits.
    """
    middle_x, middle_y = (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2
    left, top = width / 2 - middle_x * scale, height / 2 - middle_y * scale
    match placement.align:
        case Align.OPTICAL:
            mass_x, mass_y = center_of_mass(alpha)
            wide, high = (frame.right - frame.left) * scale, (frame.bottom - frame.top) * scale
            raised = height * (0.5 - OPTICAL_HEIGHT) + (mass_y - middle_y) * _WEIGHT_PULL * scale
            left -= _limited((mass_x - middle_x) * _WEIGHT_PULL * scale, width - wide)
            top -= _limited(raised, height - high)
        case Align.GROUND:
            top = height * placement.ground - frame.bottom * scale
    margin = placement.margin * min(width, height)
    left = _kept_inside(left, frame.left * scale, frame.right * scale, margin, width - margin)
    top = _kept_inside(top, frame.top * scale, frame.bottom * scale, margin, height - margin)
    return left, top


def _limited(shift: float, free: float) -> float:
    """Return a shift in pixels, limited to _MOST_SHIFT times the free space on the canvas.

    With this limit, a large subject does not move into the margins.

    shift: the shift along one axis; it may be negative.
    free: the length of the canvas's side minus the length of the subject's side.
    """
    most = max(0.0, free * _MOST_SHIFT)
    return min(max(shift, -most), most)


def _kept_inside(offset: float, start: float, end: float, low: float, high: float) -> float:
    """Return the source's position on the canvas along one axis, moved so that the subject is between two limits.

    If the subject is longer than the distance between the limits, return the position unchanged.

    offset: the position of the source's first pixel on the canvas.
    start, end: the subject's edges relative to the source's first pixel.
    low, high: the limits on the canvas.
    """
    if end - start > high - low:
        return offset
    return min(max(offset, low - start), high - end)


def center_of_mass(alpha: np.ndarray) -> tuple[float, float]:
    """Return the centre of mass (x, y) of alpha, (H, W) uint8, in pixels; the picture's middle for an empty alpha."""
    moments = cv2.moments(alpha)
    if moments["m00"] == 0:
        return alpha.shape[1] / 2, alpha.shape[0] / 2
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


def _place_head(alpha: np.ndarray, frame: Box, canvas: Canvas, placement: Placement) -> Place:
    """Return the place of a portrait whose crown and chin are at the heights that the recipe requires."""
    crown, chin, middle_x = head_of(alpha)
    head: Head = placement.head
    size = max(1.0, chin - crown)
    needed = size / head.height
    width, height = _canvas_size(canvas, needed * (canvas.ratio or 1.0), needed)
    scale = head.height * height / size
    notes: tuple[str, ...] = ()
    if scale > placement.max_enlargement:
        scale = placement.max_enlargement
        notes = ("placement: max_enlargement is reached, so the head is smaller than the recipe says",)
    return Place(width, height, scale, width / 2 - middle_x * scale, height * head.top - crown * scale, frame, notes)


def head_of(alpha: np.ndarray) -> tuple[float, float, float]:
    """Estimate the y of the crown, the y of the chin and the x of the head's middle, in source pixels.

    alpha: (H, W) uint8, not empty. Only the largest connected part is used, so another object beside the person is
    ignored.

    From the crown down, the outline widens to the head, narrows to the neck and widens to the shoulders. The chin is a
    little below the narrowest row, because the shoulders or a collar begin beside it. A collar can also hide the lower
    half of the face's outline, so the head is never shorter than is usual for its width. If the outline has no neck
    (long hair), the usual proportions of heads and shoulders are used.
    """
    person, frame = _largest_part(alpha)
    rows = person[frame.top : frame.bottom].sum(axis=1).astype(np.float32)
    widths = cv2.blur(rows[:, None], (1, max(3, rows.size // 40 * 2 + 1))).ravel()
    width = _head_width(widths)
    neck = _neck_row(widths, width)
    if neck is None:
        height = min(_HEAD_WITHOUT_NECK * width, _HEAD_PER_SHOULDERS * float(widths.max()))
    else:
        height = max(_CHIN_PER_NECK * neck, _LEAST_HEAD * width)
    middle_x, _ = center_of_mass(person[frame.top : frame.top + max(2, round(height))])
    return float(frame.top), frame.top + height, middle_x


def _largest_part(alpha: np.ndarray) -> tuple[np.ndarray, Box]:
    """Return the largest connected opaque part, (H, W) uint8 of 0 and 1, and its box.

    If there is no opaque part, return all pixels with an alpha above 0 and their box.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > _OPAQUE).view(np.uint8))
    if len(stats) == 1:
        height, width = alpha.shape
        return (alpha > 0).view(np.uint8), foreground_box(alpha) or Box(0, 0, width, height)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    left, top, width, height = (int(value) for value in stats[largest, :4])
    return (labels == largest).view(np.uint8), Box(left, top, left + width, top + height)


def _head_width(widths: np.ndarray) -> float:
    """Return the width of a person's head in pixels.

    widths: (H,) float32, the width of the person in each row, from the crown down.

    A head is about as high as it is wide. Therefore the rows are read from the crown down, until their number is
    _EARS times the largest width so far. This width is returned.
    """
    widest = np.maximum.accumulate(widths)
    is_past = np.arange(widths.size) >= _EARS * widest
    return float(widest[is_past.argmax()] if is_past.any() else widest[-1])


def _neck_row(widths: np.ndarray, head: float) -> int | None:
    """Return the row of the neck, or None if there is no neck.

    widths: (H,) float32, the width of the person in each row, from the crown down.
    head: the width of the head in pixels.
    """
    first, last = (round(share * head) for share in _NECK)
    near = widths[first:last]
    if near.size < 2:
        return None
    row = first + int(near.argmin())
    below = widths[row : row + max(2, round(head))]
    is_neck = row > first and widths[row] < 0.97 * head and below.max() > 1.25 * widths[row]
    return row if is_neck else None
