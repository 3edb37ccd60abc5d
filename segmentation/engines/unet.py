"""Stage 6, the model: the engine of the built-in network, which finds subjects, obeys boxes and tells people apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.engines.base import Instance, Matte
from segmentation.engines.closer_look import subject_box, united
from segmentation.engines.cropping import cells_of, inside, pasted, surroundings
from segmentation.engines.manifest import Manifest
from segmentation.engines.people_maps import find_people, mirrored
from segmentation.engines.preparation import framed, sigmoid
from segmentation.engines.session import GuardedSession
from segmentation.options import Box

PERSON_SLACK = 0.35  # of a found person's box: unlike one drawn by somebody, it may miss an arm
PERSON_MARGIN = 0.4  # of its sides: how much of what is about a person the network looks at
SUREST_SHARE = 0.005  # of a picture: smaller than any subject worth cutting out
OPAQUE = 0.5
FADING = 2.0  # by more than what is lacking, so that nothing stays half opaque


def prompt_plane(box: Box, width: int, height: int, size_px: int) -> np.ndarray:
    """Draw a box of a picture of width x height as the network's fourth plane: +1 inside, -1 outside, float32."""
    plane = np.full((1, size_px, size_px), -1.0, np.float32)
    rows, columns = cells_of(box, width, height, size_px, size_px)
    plane[0, rows, columns] = 1.0
    return plane


def faded(logits: np.ndarray, presence: float | None) -> np.ndarray:
    """Lower a subject's logits (h, w) by FADING times what the surest half per cent of them lacks of `presence`.

    Asked for a subject where there is none, the network answers with something half-hearted rather than with nothing;
    true subjects, even small ones, have places that it is sure of.
    """
    if presence is None:
        return logits
    surest = float(np.quantile(logits, 1 - SUREST_SHARE))
    return logits - FADING * max(0.0, presence - surest)


def sureness(alpha: np.ndarray) -> float:
    """Measure how solid a matte is, 0..1: the fourth power of the mean alpha of its opaque part, 0 without any."""
    opaque = alpha[alpha > OPAQUE]
    return float(opaque.mean() ** 4) if opaque.size else 0.0


class UNetEngine:
    """Serve the built-in network; see segmentation.network for its planes and its answers."""

    def __init__(self, session: GuardedSession, manifest: Manifest, version: str) -> None:
        self.name, self.version, self.runtime = manifest.name, version, session.runtime
        self._session, self._manifest = session, manifest
        self._mattes, self._people = session.index_of("mattes"), session.index_of("people")

    def auto(self, rgb: np.ndarray) -> Matte:
        """Find the subject and its people, looking at the mirror picture, and again at what was found, if so told.

        The mattes are size x size, and finer after a second look.
        """
        height, width = rgb.shape[:2]
        (subject, people), _ = self._seen(self._unprompted(rgb))
        logits = np.stack([faded(subject, self._manifest.presence), people])
        box = subject_box(logits[0], width, height) if self._manifest.second_look else None
        if box is not None:
            view = surroundings(box, width, height, self._manifest.box_margin)
            closer, _ = self._seen(self._close_up(rgb, box, view))
            logits = united(logits, closer, view, width, height)
        return Matte(*sigmoid(logits))

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Cut out what each box holds; every alpha is 0 in cells that its box does not touch."""
        height, width = rgb.shape[:2]
        boxes = [box.clipped(width, height) for box in boxes]
        return self._prompted(rgb, boxes, limits=boxes)

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        """Find each person's box, then cut out what it holds; best score first."""
        height, width = rgb.shape[:2]
        _, maps = self._seen(self._unprompted(rgb))
        people = find_people(maps, width, height, self._manifest.min_score)
        boxes = [box for box, _ in people]
        limits = [surroundings(box, width, height, PERSON_SLACK) for box in boxes]
        alphas = [matte.alpha for matte in self._prompted(rgb, boxes, limits, margin=PERSON_MARGIN)]
        found = [
            Instance(box, score * sureness(alpha), alpha) for (box, score), alpha in zip(people, alphas, strict=True)
        ]
        found = [person for person in found if person.score >= self._manifest.min_score]
        return sorted(found, key=lambda person: -person.score)

    def _seen(self, upright: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look at an input, and at its mirror picture if so told: logits (2, size, size) and people maps."""
        views = [upright, upright[..., ::-1]] if self._manifest.mirrored else [upright]
        answers = self._answers(views)
        mattes, maps = answers[0][self._mattes], answers[0][self._people]
        if len(answers) > 1:
            mattes = (mattes + answers[1][self._mattes][..., ::-1]) / 2
            maps = (maps + mirrored(answers[1][self._people])) / 2
        return mattes, maps

    def _prompted(
        self, rgb: np.ndarray, boxes: Sequence[Box], limits: Sequence[Box], margin: float | None = None
    ) -> list[Matte]:
        """Ask for what each box holds, and keep what lies within its limit."""
        height, width = rgb.shape[:2]
        if self._manifest.box_mode == "crop":
            mattes = self._cropped(rgb, boxes, self._manifest.box_margin if margin is None else margin)
        else:
            planes = framed(rgb, self._manifest).planes
            prompts = [prompt_plane(box, width, height, self._manifest.size) for box in boxes]
            answers = self._answers([np.concatenate([planes, prompt]) for prompt in prompts])
            mattes = [self._matte(answer) for answer in answers]
        return [
            Matte(inside(matte.alpha, limit, width, height), inside(matte.people, limit, width, height))
            for matte, limit in zip(mattes, limits, strict=True)
        ]

    def _cropped(self, rgb: np.ndarray, boxes: Sequence[Box], margin: float) -> list[Matte]:
        """Show the network each box's surroundings alone, with the box drawn as its prompt."""
        height, width = rgb.shape[:2]
        views = [surroundings(box, width, height, margin) for box in boxes]
        inputs = [self._close_up(rgb, box, view) for box, view in zip(boxes, views, strict=True)]
        found = [self._matte(answer) for answer in self._answers(inputs)]
        return [
            Matte(pasted(matte.alpha, view, width, height), pasted(matte.people, view, width, height))
            for matte, view in zip(found, views, strict=True)
        ]

    def _close_up(self, rgb: np.ndarray, box: Box, view: Box) -> np.ndarray:
        """Make the input that shows `view` alone, with the box in it drawn as its prompt."""
        seen = rgb[view.top : view.bottom, view.left : view.right]
        shifted = Box(box.left - view.left, box.top - view.top, box.right - view.left, box.bottom - view.top)
        plane = prompt_plane(shifted, seen.shape[1], seen.shape[0], self._manifest.size)
        return np.concatenate([framed(seen, self._manifest).planes, plane])

    def _unprompted(self, rgb: np.ndarray) -> np.ndarray:
        planes = framed(rgb, self._manifest).planes
        return np.concatenate([planes, np.zeros_like(planes[:1])])

    def _answers(self, inputs: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        return self._session.run_many(inputs)

    def _matte(self, answer: list[np.ndarray]) -> Matte:
        subject, people = sigmoid(answer[self._mattes])
        return Matte(subject, people)
