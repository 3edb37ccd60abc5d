"""Stage 6, model: put the question that the options ask to the engine, and bring its answer to the picture's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .compose import cut, grow_box
from .engines.base import Engine, Matte
from .options import Box, CutoutOptions, Method, Subject
from .refine import enlarge, refine

BOX_MARGIN = 0.04  # of a box's longer side: hair may reach a little out of the box that somebody drew
OBJECT_MIN_SHARE = 0.02  # of the subject's alpha: less than this beside the people is no object
ASSIGN_SIDE_PX = 1024  # contested pixels between people are decided at this size; their outline at full size


@dataclass(frozen=True, slots=True)
class Person:
    """Hold one person of the id map: `box` tight round its pixels, `score` 0..1, `area_px` the count of them."""

    id: int
    box: Box
    score: float
    area_px: int


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Hold what was found, at the size of the picture.

    alpha: (H, W) float32 0..1. colors: (H, W, 3) uint8 where the subject has colours of its own (ink without paper),
    else None. ids: (H, W) uint8 map of people, 0 for background, or None. subject: never Subject.AUTO.
    """

    alpha: np.ndarray
    subject: Subject
    colors: np.ndarray | None = None
    ids: np.ndarray | None = None
    people: tuple[Person, ...] = ()


def find(rgb: np.ndarray, options: CutoutOptions, engine: Engine) -> Found:
    """Find the subject of (H, W, 3) uint8; raise BoxInvalid for a box off the picture, or InferenceFailed."""
    height, width = rgb.shape[:2]
    boxes = tuple(box.clipped(width, height) for box in options.boxes)
    if options.subject is Subject.STAMP:
        return find_ink(rgb, boxes)
    if options.method is Method.INSTANCES:
        return _find_people(rgb, options, engine)
    if options.method is Method.BOXES:
        return _find_in_boxes(rgb, boxes, options, engine)
    return _find_subject(rgb, options, engine)


def find_ink(rgb: np.ndarray, boxes: Sequence[Box] = ()) -> Found:
    """Lift ink off its paper, in the whole picture or in each box; needs no engine."""
    from .stamp import lift_stamp

    height, width = rgb.shape[:2]
    alpha, colors = np.zeros((height, width), np.float32), rgb.copy()
    for box in boxes or (None,):
        window = np.s_[:, :] if box is None else np.s_[box.top : box.bottom, box.left : box.right]
        ink, color = lift_stamp(np.ascontiguousarray(rgb[window]))
        stronger = ink > alpha[window]
        alpha[window] = np.where(stronger, ink, alpha[window])
        colors[window] = np.where(stronger[..., None], color, colors[window])
    return Found(alpha, Subject.STAMP, colors)


def _find_subject(rgb: np.ndarray, options: CutoutOptions, engine: Engine) -> Found:
    matte = engine.auto(rgb)
    subject = options.subject
    if subject is Subject.AUTO:
        subject = which_subject(rgb, matte)
    if subject is Subject.STAMP:
        return find_ink(rgb)
    alpha = limit_to(options.subject, matte)
    return Found(_full_size(alpha, rgb, options), subject)


def _find_in_boxes(rgb: np.ndarray, boxes: Sequence[Box], options: CutoutOptions, engine: Engine) -> Found:
    """Unite what each box holds; outside every box, grown a little, nothing is left."""
    height, width = rgb.shape[:2]
    mattes = engine.boxes(rgb, boxes)
    rows, columns = max((matte.alpha.shape for matte in mattes), key=lambda shape: shape[0] * shape[1])
    united = np.zeros((rows, columns), np.float32)
    for matte in mattes:
        np.maximum(united, enlarge(limit_to(options.subject, matte), rows, columns), out=united)
    allowed = np.zeros((height, width), np.uint8)
    for box in boxes:
        cut(allowed, grow_box(box, BOX_MARGIN).clipped(width, height))[:] = 1
    subject = options.subject
    if subject is Subject.AUTO:
        subject = which_subject(rgb, Matte(united, _united_people(mattes, rows, columns)))
    # A box says where to look, not that there is ink in it: only a caller who asks for a stamp gets ink alone.
    subject = Subject.OBJECT if subject is Subject.STAMP else subject
    return Found(_full_size(united, rgb, options) * allowed, subject)


def _united_people(mattes: Sequence[Matte], rows: int, columns: int) -> np.ndarray | None:
    people = [enlarge(matte.people, rows, columns) for matte in mattes if matte.people is not None]
    return np.maximum.reduce(people) if people else None


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


def _find_people(rgb: np.ndarray, options: CutoutOptions, engine: Engine) -> Found:
    """Cut out every person, and map which pixel belongs to whom."""
    height, width = rgb.shape[:2]
    instances = engine.instances(rgb)[:255]  # the map has eight bits
    if not instances:
        return Found(np.zeros((height, width), np.float32), Subject.PERSON, ids=np.zeros((height, width), np.uint8))
    alpha = _full_size(np.maximum.reduce([instance.alpha for instance in instances]), rgb, options)
    scale = min(1.0, ASSIGN_SIDE_PX / max(height, width))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    alphas = np.stack([enlarge(instance.alpha, rows, columns) for instance in instances])
    scores = np.array([instance.score for instance in instances], np.float32)
    owners = assign_instances(alphas, scores, cv2.resize(alpha, (columns, rows), interpolation=cv2.INTER_AREA))
    ids = cv2.resize(owners, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    ids, people = number_people(np.where(alpha > 0.5, ids, 0).astype(np.uint8), scores)
    return Found(alpha, Subject.PERSON, ids=ids, people=people)


def number_people(ids: np.ndarray, scores: Sequence[float]) -> tuple[np.ndarray, tuple[Person, ...]]:
    """Renumber the ids that have pixels to 1..N in their order; id i carries scores[i - 1]."""
    areas = np.bincount(ids.ravel(), minlength=256)
    numbers = np.zeros(256, np.uint8)
    people = []
    for old in np.flatnonzero(areas[1:]) + 1:
        left, top, width, height = cv2.boundingRect((ids == old).view(np.uint8))
        box = Box(left, top, left + max(width, 2), top + max(height, 2))
        numbers[old] = len(people) + 1
        people.append(Person(len(people) + 1, box, float(scores[old - 1]), int(areas[old])))
    return cv2.LUT(ids, numbers), tuple(people)


def _full_size(alpha: np.ndarray, rgb: np.ndarray, options: CutoutOptions) -> np.ndarray:
    alpha = np.ascontiguousarray(alpha, np.float32)
    return refine(alpha, rgb) if options.refine else enlarge(alpha, *rgb.shape[:2])


def which_subject(rgb: np.ndarray, matte: Matte) -> Subject:
    """Name the subject that the engine found."""
    try:
        from .classify import which_subject as classify
    except ImportError:
        is_person = matte.people is not None and 2 * np.minimum(matte.people, matte.alpha).sum() > matte.alpha.sum()
        return Subject.PERSON if is_person else Subject.OBJECT
    return classify(rgb, matte)


def assign_instances(alphas: np.ndarray, scores: np.ndarray, people_alpha: np.ndarray) -> np.ndarray:
    """Give every pixel to the person whose alpha is highest there and above a half; (H, W) uint8 ids from 1."""
    try:
        from .instances import assign_instances as assign
    except ImportError:
        return np.where(alphas.max(axis=0) > 0.5, alphas.argmax(axis=0) + 1, 0).astype(np.uint8)
    return assign(alphas, scores, people_alpha)
