"""Stage 6, the model: the engine of the built-in network, which finds subjects, obeys boxes and tells people apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.engines.base import Instance, Matte
from segmentation.engines.cropping import cells_of, inside, pasted, surroundings
from segmentation.engines.manifest import Manifest
from segmentation.engines.people_maps import find_people
from segmentation.engines.preparation import framed, sigmoid
from segmentation.engines.session import GuardedSession
from segmentation.options import Box


def prompt_plane(box: Box, width: int, height: int, size_px: int) -> np.ndarray:
    """Draw a box of a picture of width x height as the network's fourth plane: +1 inside, -1 outside, float32."""
    plane = np.full((1, size_px, size_px), -1.0, np.float32)
    rows, columns = cells_of(box, width, height, size_px, size_px)
    plane[0, rows, columns] = 1.0
    return plane


class UNetEngine:
    """Serve the built-in network; see segmentation.network for its planes and its answers."""

    def __init__(self, session: GuardedSession, manifest: Manifest, version: str) -> None:
        self.name, self.version, self.runtime = manifest.name, version, session.runtime
        self._session, self._manifest = session, manifest
        self._mattes, self._people = session.index_of("mattes"), session.index_of("people")

    def auto(self, rgb: np.ndarray) -> Matte:
        """Find the subject and its people; the mattes are size x size."""
        return self._matte(self._answers([self._unprompted(rgb)])[0])

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Cut out what each box holds; every alpha is 0 in cells that its box does not touch."""
        height, width = rgb.shape[:2]
        boxes = [box.clipped(width, height) for box in boxes]
        if self._manifest.box_mode == "crop":
            return self._cropped(rgb, boxes)
        planes = framed(rgb, self._manifest).planes
        size = self._manifest.size
        inputs = [np.concatenate([planes, prompt_plane(box, width, height, size)]) for box in boxes]
        mattes = [self._matte(answer) for answer in self._answers(inputs)]
        return [
            Matte(inside(matte.alpha, box, width, height), inside(matte.people, box, width, height))
            for matte, box in zip(mattes, boxes, strict=True)
        ]

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        """Find each person's box, then cut out what it holds; best score first."""
        height, width = rgb.shape[:2]
        maps = self._answers([self._unprompted(rgb)])[0][self._people]
        people = find_people(maps, width, height)
        mattes = self.boxes(rgb, [box for box, _ in people])
        return [Instance(box, score, matte.alpha) for (box, score), matte in zip(people, mattes, strict=True)]

    def _cropped(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Show the network each box's surroundings alone, with the box drawn as its prompt."""
        height, width = rgb.shape[:2]
        views = [surroundings(box, width, height, self._manifest.box_margin) for box in boxes]
        inputs = []
        for box, view in zip(boxes, views, strict=True):
            seen = rgb[view.top : view.bottom, view.left : view.right]
            shifted = Box(box.left - view.left, box.top - view.top, box.right - view.left, box.bottom - view.top)
            plane = prompt_plane(shifted, seen.shape[1], seen.shape[0], self._manifest.size)
            inputs.append(np.concatenate([framed(seen, self._manifest).planes, plane]))
        mattes = []
        for answer, box, view in zip(self._answers(inputs), boxes, views, strict=True):
            found = self._matte(answer)
            alpha, people = (
                inside(pasted(part, view, width, height), box, width, height) for part in (found.alpha, found.people)
            )
            mattes.append(Matte(alpha, people))
        return mattes

    def _unprompted(self, rgb: np.ndarray) -> np.ndarray:
        planes = framed(rgb, self._manifest).planes
        return np.concatenate([planes, np.zeros_like(planes[:1])])

    def _answers(self, inputs: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        return self._session.run_many(inputs)

    def _matte(self, answer: list[np.ndarray]) -> Matte:
        subject, people = sigmoid(answer[self._mattes])
        return Matte(subject, people)
