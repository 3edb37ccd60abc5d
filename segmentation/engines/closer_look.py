"""Stage 6, the model: where to look again, and how two looks at one picture become one answer.

At the network's size a subject that fills a third of the picture's side is seen with a ninth of the pixels. Shown by
itself it is seen as a large one is, and what both looks agree on is right more often than either.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.engines.cropping import canvas_size, span_of
from segmentation.engines.preparation import resized
from segmentation.options import MIN_BOX_SIDE_PX, Box

SMALLEST_PART = 0.2  # of the largest part of what was found: a crumb far off does not widen the view
LARGEST_SHARE = 0.4  # of the picture's area: what fills more of it is seen hardly better by itself
FINEST = 2  # times the network's size: finer cells cost the refinement more than they give


def subject_box(logits: np.ndarray, picture_width: int, picture_height: int) -> Box | None:
    """Return the box of the picture round what logits (h, w) show of a subject.

    None where there is nothing, too little to look at, or so much that a second look would see it no larger.
    """
    _, _, parts, _ = cv2.connectedComponentsWithStats((logits > 0).astype(np.uint8))
    parts = parts[1:]  # the first is what is not the subject
    if not len(parts):
        return None
    areas = parts[:, cv2.CC_STAT_AREA]
    parts = parts[areas >= SMALLEST_PART * areas.max()]
    across, down = picture_width / logits.shape[1], picture_height / logits.shape[0]
    left, top = parts[:, :2].min(0)
    right, bottom = (parts[:, :2] + parts[:, 2:4]).max(0)
    if (right - left) * (bottom - top) > LARGEST_SHARE * logits.size:
        return None
    left, top, right, bottom = round(left * across), round(top * down), round(right * across), round(bottom * down)
    if min(right - left, bottom - top) < MIN_BOX_SIDE_PX:
        return None
    return Box(left, top, right, bottom)


def united(whole: np.ndarray, closer: np.ndarray, view: Box, picture_width: int, picture_height: int) -> np.ndarray:
    """Average the logits of the whole picture, (C, h, w), and of `view` alone, (C, h, w), where both look.

    The result, (C, rows, columns) float32, is finer than either, so that the second look keeps what it saw.
    """
    size = whole.shape[-1]
    columns, rows = canvas_size(view, picture_width, picture_height, size, most_px=FINEST * size)
    canvas = np.stack([resized(np.ascontiguousarray(plane), columns, rows) for plane in whole])
    down, across = span_of(view, picture_width, picture_height, columns, rows)
    for plane, seen in zip(canvas, closer, strict=True):
        part = plane[down, across]
        part += (resized(np.ascontiguousarray(seen), part.shape[1], part.shape[0]) - part) / 2
    return canvas
