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

    Both arrays cover the full picture, scaled to h x w.

    alpha: (h, w) float32 0..1, the alpha of the whole subject.
    people: (h, w) float32 0..1, the part of the subject that belongs to people. None if the engine cannot detect
    people.
    """

    alpha: np.ndarray
    people: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One person in a picture.

    box: the person's box, in pixels of the picture after the EXIF rotation.
    score: how certain the engine is that this is a person, 0..1.
    alpha: (h, w) float32 0..1, the person's alpha over the full picture.
    """

    box: Box
    score: float
    alpha: np.ndarray


class Engine(Protocol):
    """The interface of an engine (a loaded model), which computes alphas for an sRGB picture.

    An engine is built and warmed up once per process. In all methods, `rgb` is the picture, (H, W, 3) uint8, after the
    EXIF rotation.

    name: the name of the loaded model.
    version: the first 12 digits of the model's sha256.
    runtime: the runtime in use: `openvino`, `openvino-fp32`, `torch-cpu`, `torch-cuda`, `onnx` or `onnx-cuda`.

    All methods raise segmentation.errors.InferenceFailed when the runtime fails.
    """

    name: str
    version: str
    runtime: str

    @property
    def takes_points(self) -> bool:
        """Return whether the engine supports the method `points`."""

    def auto(self, rgb: np.ndarray) -> Matte:
        """Return the matte of the picture's main subject, or of several main subjects together."""

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Return one matte per box, in the order of the boxes. Outside its box, the alpha of a matte is 0."""

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, before: Matte | None) -> Matte:
        """Return the matte of the one subject that the points select or correct.

        The points are applied in order. The first keep point selects a subject if `before` is None. All other points
        correct the previous result: a keep point adds the object at its place, and a remove point takes it away. All
        points must be inside the picture.

        boxes: boxes that together contain the subject; may be empty.
        before: a result for the same picture, of this or another engine, which the first point corrects; or None.
        """

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        """Return each person of the picture as a separate Instance, sorted by score, the best first."""
