"""The interface of all engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from segmentation.options import Box, Point


@dataclass(frozen=True, slots=True)
class Matte:
    """The result of an engine for one picture, at the engine's own resolution.

    alpha: (h, w) float32 in 0..1, the whole subject. people: same shape, the part of the subject that belongs to
    people, or None if the engine cannot detect people. Both cover the full picture, scaled to h x w.
    """

    alpha: np.ndarray
    people: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One person: `box` in pixels of the upright picture, `score` in 0..1, `alpha` like Matte.alpha."""

    box: Box
    score: float
    alpha: np.ndarray


class Engine(Protocol):
    """Compute alphas for an upright sRGB picture, (H, W, 3) uint8. Engines are built and warmed up once, then reused.

    name, version: the loaded model and the first 12 digits of its sha256.
    runtime: the runtime in use: `openvino`, `openvino-fp32`, `torch-cpu`, `torch-cuda`, `onnx` or `onnx-cuda`. Every
    method raises segmentation.errors.InferenceFailed when the runtime fails.
    """

    name: str
    version: str
    runtime: str

    @property
    def takes_points(self) -> bool:
        """Return whether the engine supports `points`."""

    def auto(self, rgb: np.ndarray) -> Matte:
        """Return the matte of the salient subject or subjects."""

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Return the matte of the subject in each box, in the boxes' order; outside its box the alpha is 0."""

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, from_auto: bool) -> Matte:
        """Return the matte of the one subject that the points select.

        Each point corrects the result of the previous ones.
        boxes: where the subject is, or none. from_auto: without boxes, the first point corrects the result of `auto`
        instead of selecting a new subject. All points must be on the picture.
        """

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        """Return each person, the best score first."""
