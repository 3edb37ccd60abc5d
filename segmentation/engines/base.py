"""The interface of all engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from segmentation.options import Box, Point


@dataclass(frozen=True, slots=True)
class Matte:
    """Hold what an engine found in one picture, at the engine's own resolution.

    alpha: (h, w) float32 in 0..1, the whole subject. people: same shape, the part of it that belongs to people,
    or None when the engine cannot tell. Both cover the full picture, squeezed to h x w.
    """

    alpha: np.ndarray
    people: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """Hold one person: `box` in pixels of the upright picture, `score` in 0..1, `alpha` like Matte.alpha."""

    box: Box
    score: float
    alpha: np.ndarray


class Engine(Protocol):
    """Turn an upright sRGB picture, (H, W, 3) uint8, into alphas. Engines are built once, warmed up and kept.

    name, version: what is loaded and the first 12 digits of its sha256.
    runtime: `openvino`, `torch-cpu`, `torch-cuda` or `onnx`.
    Every method raises segmentation.errors.InferenceFailed when the runtime fails.
    """

    name: str
    version: str
    runtime: str

    @property
    def takes_points(self) -> bool:
        """Return whether `points` can be asked."""

    def auto(self, rgb: np.ndarray) -> Matte:
        """Find the salient subject or subjects."""

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Cut out the subject in each box, in the boxes' order; nothing outside its box is opaque."""

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, from_auto: bool) -> Matte:
        """Cut out the one subject that the points ask for, each correcting the answer to those before it.

        boxes: where the subject lies, or none. from_auto: without boxes, the first point corrects what `auto` finds
        instead of selecting a subject by itself. The points are on the picture.
        """

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        """Find each person, best score first."""
