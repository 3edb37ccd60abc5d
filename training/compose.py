"""Compositions for the evaluation: two people side by side, from pictures that are not used for training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.data import Entry, decode, entries, held_out

SUBJECTS, BACKGROUNDS = "train-clothing", "background"
WIDTH_PX, HEIGHT_PX = 640, 480
PAIRS = 60
SEED = 20


@dataclass(frozen=True)
class Pair:
    """Two people on one background.

    rgb: (H, W, 3) uint8.
    alphas: the visible part of each person, (H, W) float32 0..1.
    """

    rgb: np.ndarray
    alphas: tuple[np.ndarray, np.ndarray]


def pairs(data: Path, count: int = PAIRS) -> Iterator[Pair]:
    """Yield `count` compositions of the held-out people of a data folder on its held-out backgrounds.

    Held-out pictures are not used for training. The random choices have a fixed seed. Raise ValueError if there are
    fewer than two people or no backgrounds.
    """
    _, apart = held_out(list(entries(data)))
    subjects = [entry for entry in apart if entry.kind == SUBJECTS]
    backgrounds = [entry for entry in apart if entry.kind == BACKGROUNDS]
    if len(subjects) < 2 or not backgrounds:
        raise ValueError(f"{data} holds no {SUBJECTS} and {BACKGROUNDS} to compose")
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        first, second = rng.choice(len(subjects), 2, replace=False)
        yield _pair(subjects[first], subjects[second], backgrounds[rng.integers(len(backgrounds))], rng)


def _pair(first: Entry, second: Entry, background: Entry, rng: np.random.Generator) -> Pair:
    """Return two people placed side by side.

    The person in front covers at most a quarter of the smaller person's width.
    """
    rgb = cv2.resize(decode(background.read(background.photo), colour=True), (WIDTH_PX, HEIGHT_PX)).astype(np.float32)
    heights = HEIGHT_PX * rng.uniform(0.55, 0.95, 2)
    cutouts = [_cutout(entry, height) for entry, height in zip((first, second), heights, strict=True)]
    widths = [alpha.shape[1] for _, alpha in cutouts]
    together = widths[0] + widths[1]
    gap = rng.uniform(-0.25 * min(widths), 0.3 * max(WIDTH_PX - together, 1))
    left = (WIDTH_PX - together - gap) / 2 + rng.uniform(-20, 20)
    layers = []
    for (colours, alpha), start in zip(cutouts, (left, left + widths[0] + gap), strict=True):
        top = rng.uniform(0.3, 1.0) * (HEIGHT_PX - alpha.shape[0])
        layers.append(_laid(colours, alpha, round(start), round(top)))
    (_, back), (_, front) = layers
    for colours, alpha in layers:
        rgb = colours * alpha[..., None] + rgb * (1 - alpha[..., None])
    return Pair(np.clip(np.rint(rgb), 0, 255).astype(np.uint8), (back * (1 - front), front))


def _cutout(entry: Entry, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a person's colours and alpha, cropped and scaled to `height` pixels.

    The colours are (h, w, 3) float32 0..255, the alpha is (h, w) float32 0..1.
    """
    rgb = decode(entry.read(entry.photo), colour=True)
    alpha = decode(entry.read(entry.name + ".png"), colour=False)
    left, top, width, tall = cv2.boundingRect((alpha > 25).astype(np.uint8))
    size = max(1, round(width * height / tall)), max(1, round(height))
    window = np.s_[top : top + tall, left : left + width]
    colours = cv2.resize(rgb[window], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return colours, cv2.resize(alpha[window], size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _laid(colours: np.ndarray, alpha: np.ndarray, left: int, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a cutout's colours and alpha on an empty canvas of the composition's size.

    Parts outside the canvas are cut off.

    left, top: the position of the cutout in pixels.
    """
    move = np.array([[1, 0, left], [0, 1, top]], np.float32)
    size = (WIDTH_PX, HEIGHT_PX)
    return cv2.warpAffine(colours, move, size, flags=cv2.INTER_NEAREST), cv2.warpAffine(
        alpha, move, size, flags=cv2.INTER_NEAREST
    )
