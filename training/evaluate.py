"""Evaluation: run an engine with its serving settings on a folder or zip of pictures, and measure its results.

The serving settings are the settings in the weight file's manifest, which the site also uses. Alphas are enlarged to
the size of the true mask before they are compared with it, as the definitions of the measures require.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from segmentation.engines.base import Engine
from segmentation.engines.manifest import KEYLINE
from segmentation.engines.registry import Loading, built_in_looker, load_engine, read_manifest
from segmentation.engines.unet import UNetEngine
from segmentation.instances import assign_instances
from segmentation.options import Box
from segmentation.resizing import enlarge
from training.click_scores import score_clicks, score_corrections
from training.compose import Pair, pairs
from training.data import Entry, decode, entries, held_out
from training.instance_metrics import PeopleScores, Scene
from training.metrics import SubjectScores, intersection_over_union, mean

LEAST_PERSON_SHARE = 0.02  # share of the picture's area: smaller people are not evaluated
TOLD_APART_IOU = 0.5
LEAST_SCORE = 0.05  # the score from which detections count for the average precision, even if few are served


@dataclass(frozen=True)
class Sample:
    """One picture with its true masks."""

    rgb: np.ndarray  # (H, W, 3) uint8
    truth: np.ndarray | None  # (h, w) float32 alpha of the subject; None when there is no mask
    people: np.ndarray | None = None  # (h, w) uint8 ids
    ignored: np.ndarray | None = None  # (h, w) bool


def engine_for(weights: Path, size: int | None = None, least_score: float | None = None) -> Engine:
    """Load a weight file with its serving settings, and return the engine.

    size: another input size in pixels, a multiple of 32. None keeps the serving setting.
    least_score: another minimum score, 0..1, of reported people. It has an effect only for the built-in network. None
    keeps the serving setting.

    Raise ValueError if `size` is given for a network that is not the built-in one.
    """
    wanted = {"size": size, "min_score": least_score}
    changes: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    served = read_manifest(weights)
    if size is not None and served.family != KEYLINE:
        raise ValueError("only the built-in network works at another size than its own")
    if not changes or served.family != KEYLINE:
        return load_engine(weights)
    manifest = replace(served, **changes)
    return UNetEngine(built_in_looker(Loading(weights, manifest, "", "auto", None, None)), manifest, "")


def listed(folder: Path, *, masks: Path | None, only_held_out: bool) -> list[Entry]:
    """Return the pictures of a folder or zip.

    masks: a folder of masks, which are used instead of the pictures' own mask files. A mask has the name of its
    picture. A picture without a file in this folder has no mask. If `masks` is None, the pictures' own files are used.
    only_held_out: return only the pictures that are held out from training.
    """
    found = list(entries(folder))
    if only_held_out:
        found = held_out(found)[1]
    if masks is None:
        return found
    paths = {path.stem: path for path in sorted(masks.iterdir()) if path.suffix.lower() == ".png"}
    key = "/mask"  # no file of a set can have this name, because a PNG photo has the name of its mask

    def beside(entry: Entry) -> Entry:
        stem = entry.name.rpartition("/")[2]
        if stem not in paths:
            return replace(entry, beside={})

        def read(name: str) -> bytes:
            return paths[stem].read_bytes() if name == key else entry.read(name)

        return replace(entry, beside={".png": key}, read=read)

    return [beside(entry) for entry in found]


def read_sample(entry: Entry) -> Sample:
    """Decode an entry at its own size. Raise ValueError if a file is not a picture."""

    def mask(suffix: str) -> np.ndarray | None:
        return decode(entry.read(entry.beside[suffix]), colour=False) if suffix in entry.beside else None

    truth, people, ignored = mask(".png"), mask(".people.png"), mask(".ignore.png")
    return Sample(
        decode(entry.read(entry.photo), colour=True),
        None if truth is None else truth.astype(np.float32) / 255,
        people,
        None if ignored is None else ignored > 0,
    )


def score_subjects(engine: Engine, samples: Iterator[Sample]) -> dict[str, float]:
    """Return the measures (see `SubjectScores.summary`) of the subjects that the engine finds without prompts."""
    scores = SubjectScores()
    for sample in samples:
        alpha = engine.auto(sample.rgb).alpha
        if sample.truth is not None:
            alpha = enlarge(alpha, *sample.truth.shape)
        scores.add(alpha, sample.truth)
    return scores.summary()


def true_box(solid: np.ndarray, rgb: np.ndarray) -> Box:
    """Return the box around a mask, (h, w) bool, in pixels of the mask's picture `rgb`, (H, W, 3)."""
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    down, across = rgb.shape[0] / solid.shape[0], rgb.shape[1] / solid.shape[1]
    edges = columns[0] * across, rows[0] * down, (columns[-1] + 1) * across, (rows[-1] + 1) * down
    left, top, right, bottom = (round(edge) for edge in edges)
    return Box(left, top, max(right, left + 2), max(bottom, top + 2))


def score_boxes(engine: Engine, samples: Iterator[Sample]) -> dict[str, float]:
    """Return the measures of subjects that the engine finds when it gets the true box of each subject as prompt.

    If people are marked in a picture, each person is a subject. The measures are those of `SubjectScores.summary`.
    """
    scores = SubjectScores()
    for sample in samples:
        for truth in _boxed_truths(sample):
            (matte,) = engine.boxes(sample.rgb, [true_box(truth > 0.5, sample.rgb)])
            scores.add(enlarge(matte.alpha, *truth.shape), truth)
    return scores.summary()


def score_points(engine: Engine, samples: Iterator[Sample]) -> dict[str, float]:
    """Return the measures of `score_clicks`, with clicks on each subject, or on each person if people are marked."""
    return score_clicks(engine, ((sample.rgb, truth) for sample in samples for truth in _boxed_truths(sample)))


def score_groups(engine: Engine, samples: Iterator[Sample]) -> dict[str, float]:
    """Return the measures of `score_corrections`, with clicks on each marked person."""
    groups = ((sample.rgb, [truth > 0.5 for truth in _boxed_truths(sample)]) for sample in samples)
    return score_corrections(engine, groups)


def _boxed_truths(sample: Sample) -> list[np.ndarray]:
    if sample.people is not None:
        people = [(sample.people == number).astype(np.float32) for number in _ids(sample.people)]
        return [person for person in people if person.mean() >= LEAST_PERSON_SHARE]
    if sample.truth is None or not (sample.truth > 0.5).any():
        return []
    return [sample.truth]


def _ids(people: np.ndarray) -> list[int]:
    return [int(number) for number in np.unique(people) if 0 < number < 255]


def score_instances(engine: Engine, samples: Iterator[Sample], served_score: float = 0.5) -> dict[str, float]:
    """Return the measures (see `PeopleScores.summary`) of separately found people.

    People that cover less than 2 % of the picture are ignored.

    served_score: the number of people counts only people with at least this score, 0..1. The average precision uses all
    people.
    """
    scores = PeopleScores(least_share=LEAST_PERSON_SHARE, count_score=served_score)
    for sample in samples:
        if sample.people is None:
            continue
        shape = sample.people.shape
        masks, sure = people_masks(engine, sample.rgb, shape)
        truths = [sample.people == number for number in _ids(sample.people)]
        scores.add(Scene(np.stack(truths) if truths else np.zeros((0, *shape), bool), masks, sure, sample.ignored))
    return scores.summary()


def people_masks(engine: Engine, rgb: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of each found person, (n, h, w) bool, and the scores (n,). People without pixels are left out.

    rgb: the picture, (H, W, 3) uint8.
    shape: the size (h, w) of the result.
    """
    found = engine.instances(rgb)
    if not found:
        return np.zeros((0, *shape), bool), np.zeros(0)
    alphas = np.stack([enlarge(person.alpha, *shape) for person in found])
    scores = np.array([person.score for person in found])
    ids = assign_instances(alphas, scores, alphas.max(axis=0))
    masks = np.stack([ids == number + 1 for number in range(len(found))])
    owning = masks.any((1, 2))
    return masks[owning], scores[owning]


def score_pairs(engine: Engine, made: Iterator[Pair]) -> dict[str, float]:
    """Return the measures for compositions of two people.

    - `boxed_iou`: the mean IoU of cutouts, each of the person in a box, with the true alpha
    - `other_opaque_share`: the mean share of the other person's pixels that such a cutout wrongly contains
    - `told_apart_share`: the share of compositions in which the two people are separated
    - `pictures`: the number of compositions

    made: the compositions.
    """
    overlaps, leaks, apart = [], [], []
    for pair in made:
        for one, other in (pair.alphas, pair.alphas[::-1]):
            (matte,) = engine.boxes(pair.rgb, [true_box(one > 0.5, pair.rgb)])
            alpha = enlarge(matte.alpha, *one.shape)
            overlaps.append(intersection_over_union(alpha, one))
            rest = (other > 0.5) & (one <= 0.5)
            leaks.append(float((alpha[rest] > 0.5).mean()) if rest.any() else 0.0)
        masks, _ = people_masks(engine, pair.rgb, pair.rgb.shape[:2])
        apart.append(float(_told_apart(masks, pair.alphas)))
    return {
        "pictures": len(apart),
        "boxed_iou": mean(overlaps),
        "other_opaque_share": mean(leaks),
        "told_apart_share": mean(apart),
    }


def _told_apart(masks: np.ndarray, alphas: tuple[np.ndarray, np.ndarray]) -> bool:
    """Return whether each of the two people is found with its own mask.

    The IoU of a person and its mask must be at least TOLD_APART_IOU, and the two masks must be different.
    """
    owners = []
    for alpha in alphas:
        overlaps = [intersection_over_union(mask.astype(np.float32), alpha) for mask in masks]
        if not overlaps or max(overlaps) < TOLD_APART_IOU:
            return False
        owners.append(int(np.argmax(overlaps)))
    return owners[0] != owners[1]


TASKS: dict[str, Callable[[Engine, Iterator[Sample]], dict[str, float]]] = {
    "auto": score_subjects,
    "boxes": score_boxes,
    "clicks": score_points,
    "corrections": score_groups,
}


def evaluate(
    folder: Path,
    *,
    task: str,
    weights: Path,
    masks: Path | None = None,
    size: int | None = None,
    only_held_out: bool = False,
) -> dict[str, float]:
    """Return the measures of one task on a folder or zip of pictures. Raise ValueError if it contains no pictures.

    task: `auto` (no prompt), `boxes`, `clicks`, `corrections`, `instances`, or `pairs`, which composes the held-out
    people of a data folder with its held-out backgrounds.
    weights: the weight file.
    masks, only_held_out: as in `listed`.
    size: as in `engine_for`.
    """
    if task == "instances":  # average precision includes all detections, even uncertain ones, as in COCO
        served_score = read_manifest(weights).min_score
        engine = engine_for(weights, size, least_score=min(LEAST_SCORE, served_score))
        return score_instances(engine, _samples(folder, masks, only_held_out), served_score)
    engine = engine_for(weights, size)
    if task == "pairs":
        return score_pairs(engine, pairs(folder))
    return TASKS[task](engine, _samples(folder, masks, only_held_out))


def _samples(folder: Path, masks: Path | None, only_held_out: bool) -> Iterator[Sample]:
    found = listed(folder, masks=masks, only_held_out=only_held_out)
    if not found:
        raise ValueError(f"{folder} holds no pictures")
    return (read_sample(entry) for entry in found)
