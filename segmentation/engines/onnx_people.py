"""Engine for the public networks that output separate people.

Mask R-CNN (He et al. 2017) outputs a small mask for each person's box. RTMDet-Ins (Lyu et al. 2022) outputs for each
person a mask of the whole picture. The manifests describe this difference and all others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.engines.base import Engine, Instance, Matte
from segmentation.engines.cropping import inside, pasted
from segmentation.engines.manifest import Manifest
from segmentation.engines.people_maps import overlap
from segmentation.engines.preparation import Framed, framed, sigmoid
from segmentation.engines.session import GuardedSession
from segmentation.errors import BoxInvalid, InferenceFailed
from segmentation.options import Box, Point

MAX_PEOPLE = 100


class PeopleEngine:
    """Engine for networks of the manifest family PEOPLE. It finds only people."""

    takes_points = False

    def __init__(self, session: GuardedSession, manifest: Manifest, version: str) -> None:
        self.name, self.version, self.runtime = manifest.name, version, session.runtime
        self._session, self._manifest = session, manifest
        self._boxes, self._masks = session.index_of(manifest.boxes), session.index_of(manifest.masks)
        self._scores = None if manifest.scores is None else session.index_of(manifest.scores)
        self._labels = None if manifest.labels is None else session.index_of(manifest.labels)

    def auto(self, rgb: np.ndarray) -> Matte:
        """Return the matte of all people together. If there are no people, the alpha is 0 everywhere."""
        return self._united([person.alpha for person in self.instances(rgb)])

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Return for each box the matte of the person whose box overlaps it most, limited to the given box.

        If no person overlaps a box, its matte is 0 everywhere.
        """
        height, width = rgb.shape[:2]
        people = self.instances(rgb)
        mattes = []
        for box in boxes:
            box = box.clipped(width, height)
            best = max(people, key=lambda person: overlap(person.box, box), default=None)
            chosen = [inside(best.alpha, box, width, height)] if best and overlap(best.box, box) > 0 else []
            mattes.append(self._united(chosen))
        return mattes

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, before: Matte | None) -> Matte:
        raise InferenceFailed(f"The model {self.name} does not take points.")

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        """Return at most MAX_PEOPLE people, each one separately, sorted by score, the best first.

        People with a score below the manifest's `min_score` are left out.
        """
        frame = framed(rgb, self._manifest)
        outputs = self._session.run(frame.planes[None] if self._manifest.batched else frame.planes)
        boxes, scores, masks = self._detections(outputs)
        people = []
        for row in np.argsort(-scores, kind="stable")[:MAX_PEOPLE]:
            try:
                box = self._box(boxes[row], frame, rgb.shape[1], rgb.shape[0])
            except BoxInvalid:
                continue  # a person smaller than two pixels is ignored
            alpha = self._alpha(masks[row], box, frame, rgb.shape[1], rgb.shape[0])
            people.append(Instance(box, float(scores[row]), alpha))
        return people

    def _detections(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return boxes (n, 4), scores (n,) and masks (n, h, w) of the people whose score is at least `min_score`.

        Raise InferenceFailed if the shapes of the network's outputs are not those of boxes, scores and masks.
        """
        boxes, masks = outputs[self._boxes], outputs[self._masks]
        if boxes.ndim < 2 or masks.ndim < 3 or boxes.shape[-1] < (5 if self._scores is None else 4):
            shapes = f"{boxes.shape} and {masks.shape}"
            raise InferenceFailed(f"The model {self.name} answered with shapes {shapes}, not with boxes and masks.")
        boxes = boxes.reshape(-1, boxes.shape[-1]).astype(np.float32)
        scores = boxes[:, 4] if self._scores is None else outputs[self._scores].reshape(-1)
        masks = masks.reshape(-1, *masks.shape[-2:])
        if not len(boxes) == len(scores) == len(masks):
            raise InferenceFailed(f"The model {self.name} answered with unequal numbers of boxes, scores and masks.")
        keep = np.isfinite(boxes).all(axis=1) & (scores >= self._manifest.min_score)
        if self._labels is not None:
            keep &= outputs[self._labels].reshape(-1) == self._manifest.person_label
        return boxes[keep, :4], scores[keep], masks[keep]

    def _box(self, numbers: np.ndarray, frame: Framed, width: int, height: int) -> Box:
        first, second, third, fourth = (float(number) for number in numbers)
        if self._manifest.box_format == "xywh":
            third, fourth = first + third, second + fourth
        elif self._manifest.box_format == "cxcywh":
            first, second, third, fourth = (
                first - third / 2,
                second - fourth / 2,
                first + third / 2,
                second + fourth / 2,
            )
        unit = self._manifest.size if self._manifest.box_unit == "share" else 1
        across, down = width * unit / frame.width, height * unit / frame.height
        limit = np.clip([first * across, second * down, third * across, fourth * down], -width - height, width + height)
        left, top, right, bottom = (round(float(edge)) for edge in limit)
        return Box(left, top, right, bottom).clipped(width, height)

    def _alpha(self, mask: np.ndarray, box: Box, frame: Framed, width: int, height: int) -> np.ndarray:
        alpha = sigmoid(mask) if self._manifest.activation == "sigmoid" else mask.astype(np.float32)
        alpha = np.clip(np.nan_to_num(alpha), 0.0, 1.0)
        if self._manifest.mask_frame == "box":
            return pasted(alpha, box, width, height, columns=frame.width, rows=frame.height)
        rows = max(1, round(alpha.shape[0] * frame.height / self._manifest.size))
        columns = max(1, round(alpha.shape[1] * frame.width / self._manifest.size))
        return alpha[:rows, :columns]

    def _united(self, alphas: Sequence[np.ndarray]) -> Matte:
        alpha = np.maximum.reduce(alphas) if alphas else np.zeros((self._manifest.size,) * 2, np.float32)
        return Matte(alpha, alpha)


class PeopleFrom:
    """An engine that uses one engine for subjects and boxes, and another engine for separate people.

    subjects: the engine that finds subjects, also inside boxes.
    people: the engine that finds the separate people.
    """

    def __init__(self, subjects: Engine, people: Engine) -> None:
        self.name = f"{subjects.name} with {people.name}"
        self.version = f"{subjects.version}+{people.version}"
        self.runtime = subjects.runtime
        self.auto, self.boxes, self.instances = subjects.auto, subjects.boxes, people.instances
