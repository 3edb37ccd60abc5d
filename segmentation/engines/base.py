"""The interface that all engines (loaded models) implement, and its result types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from segmentation.options import Box, Point


@dataclass(frozen=True, slots=True)
class Matte:
    """The result of an engine for one picture, at the engine's own resolution.

    alpha: (h, w) float32 0..1, the whole subject.
    people: same shape, the part of the subject that belongs to people, or None if the engine cannot detect people. Both
    cover the full picture, scaled to h x w.
    """

    alpha: np.ndarray
    people: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One person in a picture.

    box: in pixels of the upright picture.
    score: how certain the engine is that this is a person, 0..1.
    alpha: as in Matte.
    """

    box: Box
    score: float
    alpha: np.ndarray


class Engine(Protocol):
    """An engine: it computes alphas for an upright sRGB picture.

    name: the loaded model.
    version: the first 12 digits of its sha256.
    runtime: the runtime in use: `openvino`, `openvino-fp32`, `torch-cpu`, `torch-cuda`, `onnx` or `onnx-cuda`. An
    engine is built and warmed up once per process.

    In all methods, `rgb` is the picture, (H, W, 3) uint8. All methods raise segmentation.errors.InferenceFailed when
    the runtime fails.
    """

    name: str
    version: str
    runtime: str

    @property
    def takes_points(self) -> bool:
        """Return whether the engine supports the method `points`."""

    def auto(self, rgb: np.ndarray) -> Matte:
        """Return the matte of the salient subject, or of several salient subjects together."""

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Return one matte per box, in the order of the boxes; outside its box the alpha is 0."""

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, from_auto: bool) -> Matte:
        """Return the matte of the one subject that the points select.

        The points are applied in order, and each point corrects the result of the previous ones.

        boxes: where the subject is; may be empty.
        from_auto: if True and there are no boxes, the first point corrects the result of `auto`; otherwise it selects a
        new subject. All points must be inside the picture.
        """

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        """Return the people of the picture separately, sorted by score, the best first."""
