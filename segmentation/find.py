"""Search for the subject: run the engine as the options require, and combine its results into one alpha."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from .beside import beside
from .classify import is_paper, is_stamped_paper, person_or_object, which_subject
from .compose import cut
from .engines.base import Engine, Instance, Matte
from .errors import InferenceFailed, InvalidParameter
from .options import Box, CutoutOptions, Method, Subject
from .resizing import enlarge
from .stamp import lift_stamp
from .subject_parts import InstancesOf, people_in, things_in

NO_PERSON = "person: no person is the subject"
NO_THING = "object: nothing but people is the subject"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The subject found in a picture.

    alpha: (h, w) float32 0..1 over the full picture, at any resolution.
    subject: the kind of subject, but not Subject.AUTO.
    boxes: the boxes outside which the alpha must be 0; empty if the subject may be anywhere in the picture.
    colors: for a stamp, the colours of the ink without its paper, (H, W, 3) uint8; None for other subjects.
    instances: the separate people, or None if the method is not `instances`.
    notes: sentences about requested subjects that were not found.
    """

    alpha: np.ndarray
    subject: Subject
    boxes: tuple[Box, ...] = ()
    colors: np.ndarray | None = None
    instances: tuple[Instance, ...] | None = None
    notes: tuple[str, ...] = ()


def find(rgb: np.ndarray, options: CutoutOptions, engine: Engine, *, min_box_side_px: int = 2) -> Found:
    """Find the subject of a picture, (H, W, 3) uint8, with `engine`, as `options` require.

    If no subject is found, the alpha is 0 everywhere.

    min_box_side_px: the least length of a box's side, in pixels. Shorter sides are invalid.

    Raise BoxInvalid or PointInvalid for a box or a point outside the picture, InvalidParameter for points if the model
    does not take points, and InferenceFailed when the model fails.
    """
    height, width = rgb.shape[:2]
    boxes = options.on_picture(width, height, min_box_side_px=min_box_side_px)
    if options.subject is Subject.STAMP:
        # A photo without paper contains no stamp, even if it is red; a box says where to look for one.
        if not boxes and not is_paper(rgb):
            return Found(np.zeros((height, width), np.float32), Subject.STAMP, colors=rgb)
        return find_ink(rgb, boxes)
    if options.method is Method.INSTANCES:
        return _find_people(rgb, engine)
    if options.points:
        return _find_at_points(rgb, boxes, options, engine)
    if options.method is Method.BOXES:
        return _find_in_boxes(rgb, boxes, options, engine)
    return _find_subject(rgb, options, engine)


def find_ink(rgb: np.ndarray, boxes: tuple[Box, ...] = ()) -> Found:
    """Return the ink of a picture, (H, W, 3) uint8, separated from its paper. This needs no model.

    boxes: the parts of the picture to search for ink. If there are no boxes, search the whole picture.
    """
    height, width = rgb.shape[:2]
    alpha, colors = np.zeros((height, width), np.float32), rgb.copy()
    for box in boxes or (Box(0, 0, max(width, 2), max(height, 2)),):
        ink, ink_colors = lift_stamp(np.ascontiguousarray(cut(rgb, box)))
        stronger = ink > cut(alpha, box)
        cut(alpha, box)[stronger] = ink[stronger]
        cut(colors, box)[stronger] = ink_colors[stronger]
    return Found(alpha, Subject.STAMP, boxes, colors)


def _find_subject(rgb: np.ndarray, options: CutoutOptions, engine: Engine) -> Found:
    # The check for a stamp on paper needs no model, and runs on a core that the model does not use all the time.
    on_paper = beside(is_stamped_paper, rgb) if options.subject is Subject.AUTO else None
    matte = engine.auto(rgb)
    if on_paper is not None and on_paper.result():
        return find_ink(rgb)
    subject = person_or_object(matte) if on_paper is not None else options.subject
    alpha, notes = limit_to(options.subject, matte, _instances_of(rgb, engine))
    return Found(alpha, subject, notes=notes)


def _find_at_points(rgb: np.ndarray, boxes: tuple[Box, ...], options: CutoutOptions, engine: Engine) -> Found:
    if not engine.takes_points:
        raise InvalidParameter(f"points: the model {engine.name} does not take them", field="points")
    matte = engine.points(rgb, options.points, boxes, before=_before_clicks(rgb, boxes, options, engine))
    subject = options.subject if options.subject is not Subject.AUTO else which_subject(rgb, matte)
    alpha, notes = limit_to(options.subject, matte, _instances_of(rgb, engine))
    # A point selects a subject and does not imply ink; only a caller who requests a stamp gets ink alone.
    return Found(alpha, Subject.OBJECT if subject is Subject.STAMP else subject, notes=notes)


def _before_clicks(rgb: np.ndarray, boxes: tuple[Box, ...], options: CutoutOptions, engine: Engine) -> Matte | None:
    """Return the result that the clicks correct: that of the same request without clicks. None for clicks alone."""
    if boxes:
        return _union(engine.boxes(rgb, boxes))
    return engine.auto(rgb) if options.method is Method.AUTO else None


def _find_in_boxes(rgb: np.ndarray, boxes: tuple[Box, ...], options: CutoutOptions, engine: Engine) -> Found:
    """Return the union of the subjects in all boxes, at the highest resolution of their mattes."""
    mattes = engine.boxes(rgb, boxes)
    whole = _union(mattes)
    instances = _instances_of(rgb, engine)
    limited = [limit_to(options.subject, matte, instances) for matte in mattes]
    alpha = _united([part for part, _ in limited], whole.alpha.shape)
    notes = () if any(not missing for _, missing in limited) else limited[0][1]
    subject = options.subject
    if subject is Subject.AUTO:
        subject = which_subject(rgb, Matte(alpha, whole.people))
    # A box selects a place and does not imply ink; only a caller who requests a stamp gets ink alone.
    return Found(alpha, Subject.OBJECT if subject is Subject.STAMP else subject, boxes, notes=notes)


def _find_people(rgb: np.ndarray, engine: Engine) -> Found:
    instances = tuple(engine.instances(rgb))
    alpha = _united([instance.alpha for instance in instances] or [np.zeros((1, 1), np.float32)])
    return Found(alpha, Subject.PERSON, instances=instances)


def _union(mattes: Sequence[Matte]) -> Matte:
    """Return the union of several mattes, at the highest resolution of their alphas."""
    size = max((matte.alpha.shape for matte in mattes), key=lambda shape: shape[0] * shape[1])
    people = [matte.people for matte in mattes if matte.people is not None]
    return Matte(_united([matte.alpha for matte in mattes], size), _united(people, size) if people else None)


def _united(alphas: Sequence[np.ndarray], size: tuple[int, int] | None = None) -> np.ndarray:
    """Return the maximum of several alphas as float32, each resized to `size` (rows, columns).

    By default, `size` is the size of the first alpha.
    """
    size = size or alphas[0].shape
    return np.maximum.reduce([enlarge(np.asarray(alpha, np.float32), *size) for alpha in alphas])


def limit_to(subject: Subject, matte: Matte, instances: InstancesOf) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the part of a matte's alpha, (h, w) float32, that belongs to the requested subject, and a tuple of notes.

    subject: PERSON keeps only people, OBJECT keeps only things, other values keep everything.
    instances: a function that finds the separate people of the picture.

    If the engine cannot detect people, return the whole alpha. If nothing in the matte belongs to the requested
    subject, return an alpha of 0 and a note about this. Otherwise the tuple of notes is empty.
    """
    if matte.people is None or subject not in (Subject.PERSON, Subject.OBJECT):
        return matte.alpha, ()
    is_person = subject is Subject.PERSON
    part = people_in(matte, instances) if is_person else things_in(matte, instances)
    if part is None:
        return np.zeros_like(matte.alpha), (NO_PERSON if is_person else NO_THING,)
    return part, ()


def _instances_of(rgb: np.ndarray, engine: Engine) -> InstancesOf:
    """Return a function that finds the separate people of a picture, (H, W, 3) uint8, at its first call.

    The function returns an empty sequence if the engine cannot separate people.
    """

    @cache
    def instances() -> Sequence[Instance]:
        try:
            return engine.instances(rgb)
        except InferenceFailed:
            return ()

    return instances
