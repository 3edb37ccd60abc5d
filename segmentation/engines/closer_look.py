"""Second run of the model on the part of the picture that contains the subject, and the combination of both results.

If a subject fills a third of the picture's width and height, it gets only a ninth of the pixels of the network's input.
For the second run, the picture is cropped to the subject, so that the subject fills most of the input. The average of
both results is correct more often than one result alone.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.engines.cropping import canvas_size, span_of
from segmentation.engines.preparation import resized
from segmentation.options import MIN_BOX_SIDE_PX, Box

SMALLEST_PART = 0.2  # share of the largest found part: a smaller distant part does not enlarge the view
LARGEST_SHARE = 0.4  # share of the picture's area: a second run hardly improves a larger subject
FINEST = 2  # times the network's size: finer cells would cost the refinement more than they improve


def subject_box(logits: np.ndarray, picture_width: int, picture_height: int) -> Box | None:
    """Return the subject's box in the picture, for a second run on this part; None if a second run would not help.

    logits: the subject's logits (h, w) of the first run.
    picture_width, picture_height: the picture's size in pixels.

    A second run does not help in three cases: there is no subject, a side of the subject's box is shorter than
    MIN_BOX_SIDE_PX, or the box covers more than LARGEST_SHARE of the picture.
    """
    _, _, parts, _ = cv2.connectedComponentsWithStats((logits > 0).astype(np.uint8))
    parts = parts[1:]  # the first label is the background
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
    """Return the logits of both runs as one array, (C, rows, columns) float32.

    Inside `view`, the result is the average of both runs. Outside, it contains the logits of the first run.

    whole: the first run's logits, (C, h, w), for the whole picture.
    closer: the second run's logits, (C, h, w), for the part `view` of the picture.
    view: the part of the picture that was the input of the second run.
    picture_width, picture_height: the picture's size in pixels.

    The result has a higher resolution than `whole`, to keep the details of the second run.
    """
    size = whole.shape[-1]
    columns, rows = canvas_size(view, picture_width, picture_height, size, most_px=FINEST * size)
    canvas = np.stack([resized(np.ascontiguousarray(plane), columns, rows) for plane in whole])
    down, across = span_of(view, picture_width, picture_height, columns, rows)
    for plane, seen in zip(canvas, closer, strict=True):
        part = plane[down, across]
        part += (resized(np.ascontiguousarray(seen), part.shape[1], part.shape[0]) - part) / 2
    return canvas
