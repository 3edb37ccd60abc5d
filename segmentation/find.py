"""Stage 6, model: put the question that the options ask to the engine, and reduce its answer to one alpha."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .classify import is_paper, which_subject
from .compose import cut
from .engines.base import Engine, Instance, Matte
from .options import Box, CutoutOptions, Method, Subject
from .refine import enlarge
from .stamp import lift_stamp

OBJECT_MIN_SHARE = 0.02  # of the subject's alpha: less than this beside the people is no object


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Hold what was found in a picture.

    alpha: (h, w) float32 0..1 over the full picture, at any size. subject: never Subject.AUTO.
    boxes: where alone it may lie, or empty. colors: (H, W, 3) uint8 where the subject has colours of its own (ink
    without its paper), else None. instances: the people, when they were asked for one by one, else None.
    """

    alpha: np.ndarray
    subject: Subject
    boxes: tuple[Box, ...] = ()
    colors: np.ndarray | None = None
    instances: tuple[Instance, ...] | None = None


def find(rgb: np.ndarray, options: CutoutOptions, engine: Engine, *, min_box_side_px: int = 2) -> Found:
    """Find the subject of (H, W, 3) uint8; raise BoxInvalid for a box off the picture, or InferenceFailed."""
    height, width = rgb.shape[:2]
    boxes = tuple(box.clipped(width, height, min_side_px=min_box_side_px) for box in options.boxes)
    if options.subject is Subject.STAMP:
        # A photo without paper holds no stamp, however red it is; a box says where to look for one.
        if not boxes and not is_paper(rgb):
            return Found(np.zeros((height, width), np.float32), Subject.STAMP, colors=rgb)
        return find_ink(rgb, boxes)
    if options.method is Method.INSTANCES:
        return _find_people(rgb, engine)
    if options.method is Method.BOXES:
        return _find_in_boxes(rgb, boxes, options, engine)
    return _find_subject(rgb, options, engine)


def find_ink(rgb: np.ndarray, boxes: tuple[Box, ...] = ()) -> Found:
    """Lift ink off its paper, in the whole picture or in each box; needs no engine."""
    height, width = rgb.shape[:2]
    alpha, colors = np.zeros((height, width), np.float32), rgb.copy()
    for box in boxes or (Box(0, 0, max(width, 2), max(height, 2)),):
        ink, ink_colors = lift_stamp(np.ascontiguousarray(cut(rgb, box)))
        stronger = ink > cut(alpha, box)
        cut(alpha, box)[stronger] = ink[stronger]
        cut(colors, box)[stronger] = ink_colors[stronger]
    return Found(alpha, Subject.STAMP, boxes, colors)


def _find_subject(rgb: np.ndarray, options: CutoutOptions, engine: Engine) -> Found:
    matte = engine.auto(rgb)
    subject = options.subject if options.subject is not Subject.AUTO else which_subject(rgb, matte)
    return find_ink(rgb) if subject is Subject.STAMP else Found(limit_to(options.subject, matte), subject)


def _find_in_boxes(rgb: np.ndarray, boxes: tuple[Box, ...], options: CutoutOptions, engine: Engine) -> Found:
    """Unite what each box holds, at the size of the finest answer."""
    mattes = engine.boxes(rgb, boxes)
    size = max((matte.alpha.shape for matte in mattes), key=lambda shape: shape[0] * shape[1])
    alpha = _united([limit_to(options.subject, matte) for matte in mattes], size)
    subject = options.subject
    if subject is Subject.AUTO:
        people = [matte.people for matte in mattes if matte.people is not None]
        subject = which_subject(rgb, Matte(alpha, _united(people, size) if people else None))
    # A box says where to look, not that there is ink in it: only a caller who asks for a stamp gets ink alone.
    return Found(alpha, Subject.OBJECT if subject is Subject.STAMP else subject, boxes)


def _find_people(rgb: np.ndarray, engine: Engine) -> Found:
    instances = tuple(engine.instances(rgb))
    alpha = _united([instance.alpha for instance in instances] or [np.zeros((1, 1), np.float32)])
    return Found(alpha, Subject.PERSON, instances=instances)


def _united(alphas: Sequence[np.ndarray], size: tuple[int, int] | None = None) -> np.ndarray:
    """Take the maximum of alphas, each enlarged to `size` (that of the first by default); float32."""
    size = size or alphas[0].shape
    return np.maximum.reduce([enlarge(np.asarray(alpha, np.float32), *size) for alpha in alphas])


def limit_to(subject: Subject, matte: Matte) -> np.ndarray:
    """Return the part of a matte's alpha that is of one subject; the whole when the engine cannot tell.

    People fade out below a half rather than multiply, so that an unsure 0.9 leaves the inside of a person opaque.
    """
    if matte.people is None or subject not in (Subject.PERSON, Subject.OBJECT):
        return matte.alpha
    people = np.clip(2 * matte.people, 0, 1)
    if subject is Subject.PERSON:
        return matte.alpha * people
    rest = matte.alpha * (1 - people)
    return rest if rest.sum() > OBJECT_MIN_SHARE * max(matte.alpha.sum(), 1) else matte.alpha
