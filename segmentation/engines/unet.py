"""The engine of the built-in network. It finds subjects, also in boxes and under clicks, and separate people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.engines.base import Instance, Matte
from segmentation.engines.closer_look import subject_box, united
from segmentation.engines.correcting import corrected, layers_of, piece_at
from segmentation.engines.cropping import inside, pasted, span_of, surroundings
from segmentation.engines.looking import Answer, Look, Looker, SplitLooker
from segmentation.engines.manifest import Manifest
from segmentation.engines.people_maps import find_people, mirrored_maps
from segmentation.engines.preparation import framed, logit, resized, sigmoid
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
        """Return one matte per box. The alpha is 0 in cells that the box does not touch.

        The manifest may enable a run on the mirrored picture, as in `auto`.
        """
        height, width = rgb.shape[:2]
        boxes = [box.clipped(width, height) for box in boxes]
        return self._prompted(rgb, boxes, boxes, self._manifest.box_margin, mirrored=self._manifest.mirrored)

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, before: Matte | None) -> Matte:
        """Return the matte after all points. The parameters are those of `Engine.points`.

        The first keep click selects the subject, unless there is a previous result. Each later click changes only the
        object that it hits (see `segmentation.engines.correcting`). With boxes, the network's input is the part of the
        picture around the boxes and points. Without boxes and without a previous result, the manifest may enable a
        second run on the part around the result, as in `auto`. If the photo was used recently, only the decoder runs.

        Raise InferenceFailed if the network takes no clicks. Raise ValueError if nothing is selected: there is no
        previous result, and no keep click.
        """
        if not isinstance(self._looker, SplitLooker):
            raise InferenceFailed(f"The model {self.name} does not take points.")
        height, width = rgb.shape[:2]
        view = Box(0, 0, width, height)
        if boxes:
            boxes = [box.clipped(width, height) for box in boxes]
            view = surroundings(hull(boxes, points), width, height, self._manifest.box_margin)
        photo = framed(_cut(rgb, view), self._manifest).planes
        layers = None if before is None else layers_of(before, self._manifest.size)
        for count, point in enumerate(points, 1):
            if layers is None and not point.keep:
                continue  # there is nothing yet to take away; the clicks after it see this one
            previous = None if layers is None else layers[0][_span(view, rgb, layers)]
            prompt = self._click_prompt(points[:count], view, previous)
            if boxes:
                prompt[:1] = self._box_plane(boxes, view)
            found = sigmoid(self._seen_again(self._looker, Look(photo, prompt)))
            if layers is None:
                layers = np.stack([pasted(part, view, width, height) for part in found]) if boxes else found
                continue
            alone = self._click_prompt([Point(point.x, point.y)], view)
            hit = piece_at(
                sigmoid(self._seen_again(self._looker, Look(photo, alone))),
                (point.y + 0.5 - view.top) / (view.bottom - view.top),
                (point.x + 0.5 - view.left) / (view.right - view.left),
            )
            layers = corrected(layers, found, hit, _span(view, rgb, layers), keep=point.keep)
        if layers is None:
            raise ValueError("no previous result and no keep click")
        if before is None and not boxes and self._manifest.second_look:
            return self._closer_at_points(self._looker, rgb, points, layers)
        return Matte(*layers)

    def _closer_at_points(
        self, looker: SplitLooker, rgb: np.ndarray, points: Sequence[Point], layers: np.ndarray
    ) -> Matte:
        """Return the matte after a second run on the part of the picture around a small result and the keep clicks.

        layers: the alphas of the first run, (2, h, w).
        """
        height, width = rgb.shape[:2]
        logits = logit(layers)
        box = subject_box(logits[0], width, height)
        if box is None:
            return Matte(*layers)
        around = hull([box], [point for point in points if point.keep])
        view = surroundings(around, width, height, self._manifest.box_margin)
        inner = [point for point in points if _is_in(point, view)]
        prompt = self._click_prompt(inner, view, layers[0][_span(view, rgb, layers)])
        look = Look(framed(_cut(rgb, view), self._manifest).planes, prompt)
        return Matte(*sigmoid(united(logits, self._seen_again(looker, look), view, width, height)))

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
        alphas = [matte.alpha for matte in self._prompted(rgb, boxes, limits, PERSON_MARGIN, mirrored=False)]
        found = [
            Instance(box, score * sureness(alpha), alpha) for (box, score), alpha in zip(people, alphas, strict=True)
        ]
        found = [person for person in found if person.score >= self._manifest.min_score]
        return sorted(found, key=lambda person: -person.score)

    def _seen(self, look: Look) -> tuple[np.ndarray, np.ndarray]:
        """Run the network and return the logits, (2, size, size), and the people maps.

        The manifest may enable a run on the mirrored input; the result is then the average of both runs.
        """
        (answer,) = self._answers([look], mirrored=self._manifest.mirrored)
        return answer.mattes, answer.maps

    def _answers(self, looks: Sequence[Look], *, mirrored: bool) -> list[Answer]:
        """Run the network and return one answer per input.

        mirrored: also run the network on each mirrored input, and return the averages.
        """
        if not mirrored:
            return self._looker.answers(looks)
        answers = self._looker.answers([either for look in looks for either in (look, look.mirrored())])
        return [
            Answer((one.mattes + other.mattes[..., ::-1]) / 2, (one.maps + mirrored_maps(other.maps)) / 2)
            for one, other in zip(answers[::2], answers[1::2], strict=True)
        ]

    def _seen_again(self, looker: SplitLooker, look: Look) -> np.ndarray:
        """Return the logits of the network, (2, size, size), as `_seen` does, and cache them for later calls."""
        logits = looker.again(look).mattes
        return (logits + looker.again(look.mirrored()).mattes[..., ::-1]) / 2 if self._manifest.mirrored else logits

    def _prompted(
        self, rgb: np.ndarray, boxes: Sequence[Box], limits: Sequence[Box], margin: float, *, mirrored: bool
    ) -> list[Matte]:
        """Run the network with each box as a prompt, and return one matte per box.

        limits: for each box, the box that limits its matte. Outside this limit, the alpha is set to 0.
        margin: the width of the area around the box that the network also gets, as a share of the box's sides.
        mirrored: as in `_answers`.
        """
        height, width = rgb.shape[:2]
        if self._manifest.box_mode == "crop":
            found = self._cropped(rgb, boxes, margin, mirrored=mirrored)
        else:
            photo, whole = framed(rgb, self._manifest).planes, Box(0, 0, max(width, 2), max(height, 2))
            looks = [Look(photo, self._box_plane([box], whole)) for box in boxes]
            found = [list(sigmoid(answer.mattes)) for answer in self._answers(looks, mirrored=mirrored)]
        return [
            Matte(*(inside(part, limit, width, height) for part in parts))
            for parts, limit in zip(found, limits, strict=True)
        ]

    def _cropped(
        self, rgb: np.ndarray, boxes: Sequence[Box], margin: float, *, mirrored: bool
    ) -> list[list[np.ndarray]]:
        """Run the network on the part of the picture around each box, with the box drawn as prompt.

        margin: the width of the area around the box, as a share of the box's sides.
        mirrored: as in `_answers`.

        Return for each box the alphas of the subject and of the people, over the whole picture.
        """
        height, width = rgb.shape[:2]
        views = [surroundings(box, width, height, margin) for box in boxes]
        looks = [self._close_up(rgb, box, view) for box, view in zip(boxes, views, strict=True)]
        found = [sigmoid(answer.mattes) for answer in self._answers(looks, mirrored=mirrored)]
        return [[pasted(part, view, width, height) for part in parts] for parts, view in zip(found, views, strict=True)]

    def _close_up(self, rgb: np.ndarray, box: Box, view: Box) -> Look:
        """Return the network's input for the part `view` of the picture, with the box drawn as prompt."""
        return Look(framed(_cut(rgb, view), self._manifest).planes, self._box_plane([box], view))

    def _click_prompt(self, points: Sequence[Point], view: Box, previous: np.ndarray | None = None) -> np.ndarray:
        """Return the prompt planes, (3, S, S), for clicks in the part `view` of the picture.

        previous: the alpha of this part before the last click, (h, w); None if there is none.
        """
        size = self._manifest.size
        prompt = np.zeros((3, size, size), np.float32)
        prompt[1:2] = self._click_plane(points, view)
        if previous is not None:
            prompt[2] = 2 * resized(np.ascontiguousarray(previous), size, size) - 1
        return prompt

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


def _span(view: Box, rgb: np.ndarray, layers: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns of `layers`, (C, h, w) alphas of the picture, that a part of the picture covers."""
    return span_of(view, rgb.shape[1], rgb.shape[0], layers.shape[2], layers.shape[1])


def _is_in(point: Point, view: Box) -> bool:
    return view.left <= point.x < view.right and view.top <= point.y < view.bottom


def _cut(rgb: np.ndarray, view: Box) -> np.ndarray:
    return rgb[view.top : view.bottom, view.left : view.right]
