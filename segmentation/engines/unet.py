"""The engine of the built-in network. It finds subjects, also in boxes and under clicks, and separate people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.engines.base import Instance, Matte
from segmentation.engines.closer_look import subject_box, united
from segmentation.engines.cropping import inside, pasted, span_of, surroundings
from segmentation.engines.looking import Look, Looker, SplitLooker
from segmentation.engines.manifest import Manifest
from segmentation.engines.people_maps import find_people, mirrored
from segmentation.engines.preparation import framed, resized, sigmoid
from segmentation.engines.prompts import box_plane, click_plane
from segmentation.errors import InferenceFailed
from segmentation.options import Box, Point

PERSON_SLACK = 0.35  # share of a found person's box, which may miss an arm, unlike a drawn box
PERSON_MARGIN = 0.4  # share of the box's sides: the width of the surroundings that the network gets
SUREST_SHARE = 0.005  # share of a picture: smaller than any useful subject
OPAQUE = 0.5
FADING = 2.0  # lowers the logits by more than the difference, so that no cell stays half opaque


def faded(logits: np.ndarray, presence: float | None) -> np.ndarray:
    """Return the subject's logits, (h, w), lowered if even the highest ones are below `presence`.

    presence: a logit, the manifest's field of this name. If it is None, return the logits unchanged.

    In a picture without a subject, the network returns uncertain values everywhere. A real subject, even a small one,
    has cells with high logits. The logits are lowered by FADING times the difference between `presence` and the
    quantile 1 - SUREST_SHARE of the logits.
    """
    if presence is None:
        return logits
    surest = float(np.quantile(logits, 1 - SUREST_SHARE))
    return logits - FADING * max(0.0, presence - surest)


def sureness(alpha: np.ndarray) -> float:
    """Return how certain a matte (h, w) is, 0..1: the fourth power of the mean alpha of its cells above OPAQUE.

    If no cell is above OPAQUE, the result is 0.
    """
    opaque = alpha[alpha > OPAQUE]
    return float(opaque.mean() ** 4) if opaque.size else 0.0


class UNetEngine:
    """Engine of the built-in network. The module segmentation.network describes the network's planes and outputs."""

    def __init__(self, looker: Looker, manifest: Manifest, version: str) -> None:
        self.name, self.version, self.runtime = manifest.name, version, looker.runtime
        self.takes_points = looker.takes_clicks
        self._looker, self._manifest = looker, manifest

    def auto(self, rgb: np.ndarray) -> Matte:
        """Return the matte of the subject, with the alpha of the people in it.

        The manifest may enable a run on the mirrored picture and a second run on the subject's part of the picture. The
        matte has size x size cells (`size` is a field of the manifest), and more cells after a second run.
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
        """Return one matte per box. The alpha is 0 in cells that the box does not touch."""
        height, width = rgb.shape[:2]
        boxes = [box.clipped(width, height) for box in boxes]
        return self._prompted(rgb, boxes, limits=boxes)

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, from_auto: bool) -> Matte:
        """Return the matte after all points: correct the previous matte with one point after the other.

        A keep click only adds to the matte. A remove click only takes away, and only from the object that a keep click
        at this place would select, so that the other persons of a group stay as they are.

        boxes, from_auto: as in `Engine.points`.

        With boxes, the network's input is the part of the picture around the boxes and points. Without boxes, the
        manifest may enable a second run on the part around the result and the keep clicks, as in `auto`. If the photo
        was used recently, only the decoder runs.

        Raise InferenceFailed if the network takes no clicks. Raise ValueError if `points` and `boxes` are empty and
        `from_auto` is False.
        """
        if not isinstance(self._looker, SplitLooker):
            raise InferenceFailed(f"The model {self.name} does not take points.")
        height, width = rgb.shape[:2]
        boxes = [box.clipped(width, height) for box in boxes]
        view = Box(0, 0, width, height)
        if boxes:
            view = surroundings(hull(boxes, points), width, height, self._manifest.box_margin)
        photo = framed(_cut(rgb, view), self._manifest).planes
        prompt = np.zeros_like(photo)
        if boxes:
            prompt[:1] = self._box_plane(boxes, view)
        logits = self._seen_again(self._looker, Look(photo, prompt)) if boxes or from_auto else None
        for count, point in enumerate(points, 1):
            if logits is None and not point.keep:
                continue  # there is nothing yet to take away; the clicks after it see this one
            if logits is not None:
                prompt[2] = 2 * sigmoid(logits[0]) - 1
            prompt[1:2] = self._click_plane(points[:count], view)
            found = self._seen_again(self._looker, Look(photo, prompt))
            if logits is None:
                logits = found
            elif point.keep:
                logits = np.maximum(logits, found)
            else:
                alone = np.zeros_like(photo)
                alone[1:2] = self._click_plane([Point(point.x, point.y)], view)
                clicked = self._seen_again(self._looker, Look(photo, alone))
                logits = np.minimum(logits, np.maximum(found, -clicked))
        if logits is None:
            raise ValueError("no points")
        if boxes:
            return Matte(*(pasted(part, view, width, height) for part in sigmoid(logits)))
        box = subject_box(logits[0], width, height) if self._manifest.second_look else None
        if box is not None:
            kept = [point for point in points if point.keep]
            view = surroundings(hull([box], kept), width, height, self._manifest.box_margin)
            closer = self._seen_again(self._looker, self._clicks_close_up(rgb, points, view, logits[0]))
            logits = united(logits, closer, view, width, height)
        return Matte(*sigmoid(logits))

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        """Find the people's boxes and compute a matte for each box. Return the people sorted by score, the best first.

        A person's score is the box's score times the certainty of its matte (`sureness`). People with a score below the
        manifest's `min_score` are left out.
        """
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

    def _seen(self, look: Look) -> tuple[np.ndarray, np.ndarray]:
        """Run the network and return the logits, (2, size, size), and the people maps.

        If the manifest's `mirrored` is True, also run the network on the mirrored input, and return the averages of
        both runs.
        """
        looks = [look, look.mirrored()] if self._manifest.mirrored else [look]
        first, *others = self._looker.answers(looks)
        mattes, maps = first.mattes, first.maps
        for other in others:
            mattes = (mattes + other.mattes[..., ::-1]) / 2
            maps = (maps + mirrored(other.maps)) / 2
        return mattes, maps

    def _seen_again(self, looker: SplitLooker, look: Look) -> np.ndarray:
        """Return the logits of the network, (2, size, size), as `_seen` does, and cache them for later calls."""
        logits = looker.again(look).mattes
        return (logits + looker.again(look.mirrored()).mattes[..., ::-1]) / 2 if self._manifest.mirrored else logits

    def _prompted(
        self, rgb: np.ndarray, boxes: Sequence[Box], limits: Sequence[Box], margin: float | None = None
    ) -> list[Matte]:
        """Run the network with each box as a prompt, and return one matte per box.

        limits: for each box, the box that limits its matte. Outside this limit, the alpha is set to 0.
        margin: the width of the area around the box that the network also gets, as a share of the box's sides. None
        uses the manifest's `box_margin`.
        """
        height, width = rgb.shape[:2]
        if self._manifest.box_mode == "crop":
            found = self._cropped(rgb, boxes, self._manifest.box_margin if margin is None else margin)
        else:
            photo, whole = framed(rgb, self._manifest).planes, Box(0, 0, max(width, 2), max(height, 2))
            looks = [Look(photo, self._box_plane([box], whole)) for box in boxes]
            found = [list(sigmoid(answer.mattes)) for answer in self._looker.answers(looks)]
        return [
            Matte(*(inside(part, limit, width, height) for part in parts))
            for parts, limit in zip(found, limits, strict=True)
        ]

    def _cropped(self, rgb: np.ndarray, boxes: Sequence[Box], margin: float) -> list[list[np.ndarray]]:
        """Run the network on the part of the picture around each box, with the box drawn as prompt.

        margin: the width of the area around the box, as a share of the box's sides.

        Return for each box the alphas of the subject and of the people, over the whole picture.
        """
        height, width = rgb.shape[:2]
        views = [surroundings(box, width, height, margin) for box in boxes]
        looks = [self._close_up(rgb, box, view) for box, view in zip(boxes, views, strict=True)]
        found = [sigmoid(answer.mattes) for answer in self._looker.answers(looks)]
        return [[pasted(part, view, width, height) for part in parts] for parts, view in zip(found, views, strict=True)]

    def _close_up(self, rgb: np.ndarray, box: Box, view: Box) -> Look:
        """Return the network's input for the part `view` of the picture, with the box drawn as prompt."""
        return Look(framed(_cut(rgb, view), self._manifest).planes, self._box_plane([box], view))

    def _clicks_close_up(self, rgb: np.ndarray, points: Sequence[Point], view: Box, found: np.ndarray) -> Look:
        """Return the network's input for the part `view` of the picture, with its clicks and a previous result.

        found: the logits of the subject in the whole picture, (h, w).
        """
        photo = framed(_cut(rgb, view), self._manifest).planes
        height, width = rgb.shape[:2]
        size = self._manifest.size
        part = found[span_of(view, width, height, found.shape[1], found.shape[0])]
        prompt = np.zeros_like(photo)
        prompt[1:2] = self._click_plane([point for point in points if _is_in(point, view)], view)
        prompt[2] = 2 * sigmoid(resized(np.ascontiguousarray(part), size, size)) - 1
        return Look(photo, prompt)

    def _unprompted(self, rgb: np.ndarray) -> Look:
        return Look(framed(rgb, self._manifest).planes)

    def _box_plane(self, boxes: Sequence[Box], view: Box) -> np.ndarray:
        """Return the box plane for boxes of the picture, in the coordinates of its part `view`."""
        seen = [Box(b.left - view.left, b.top - view.top, b.right - view.left, b.bottom - view.top) for b in boxes]
        return box_plane(seen, view.right - view.left, view.bottom - view.top, self._manifest.size)

    def _click_plane(self, points: Sequence[Point], view: Box) -> np.ndarray:
        seen = [Point(point.x - view.left, point.y - view.top, point.keep) for point in points]
        return click_plane(seen, view.right - view.left, view.bottom - view.top, self._manifest.size)


def hull(boxes: Sequence[Box], points: Sequence[Point]) -> Box:
    """Return the smallest box that contains all boxes and points."""
    across = [side for box in boxes for side in (box.left, box.right)] + [point.x for point in points]
    down = [side for box in boxes for side in (box.top, box.bottom)] + [point.y for point in points]
    return Box(min(across), min(down), max(across), max(down))


def _is_in(point: Point, view: Box) -> bool:
    return view.left <= point.x < view.right and view.top <= point.y < view.bottom


def _cut(rgb: np.ndarray, view: Box) -> np.ndarray:
    return rgb[view.top : view.bottom, view.left : view.right]
