"""Comparison of separately found people with the annotated people, by COCO's measures.

The measures are those of Lin et al., Microsoft COCO, ECCV 2014, and of COCO's evaluation code. Detections are processed
in order, from the highest score to the lowest. Each one is matched to the unmatched person with the largest overlap.
Average precision is sampled at 101 recalls and averaged over the IoU thresholds 0.50, 0.55, … 0.95.
"""

import math
from dataclasses import dataclass, field

import numpy as np

IOU_THRESHOLDS = np.arange(0.5, 0.96, 0.05)
RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Scene:
    """The marked people and the found people of one picture; the masks are (n, H, W) bool."""

    truths: np.ndarray
    found: np.ndarray
    scores: np.ndarray  # (n,) scores of the found people
    ignored: np.ndarray | None = None  # (H, W): people here are not separated; finding them is neither right nor wrong


@dataclass(frozen=True)
class Matches:
    """The matches of one picture, for each IoU threshold and each detection, the best detection first.

    right: whether the detection matches a person.
    people: the number of people in the picture that are not too small to count.
    """

    scores: np.ndarray  # (n,)
    right: np.ndarray  # (10, n) bool
    skipped: np.ndarray  # (10, n) bool: ignored, neither correct nor wrong
    people: int


def mask_overlaps(found: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Return the IoU (n, m) of the masks `found` (n, H, W) with the masks `truths` (m, H, W), both bool."""
    first = found.reshape(len(found), math.prod(found.shape[1:])).astype(np.float32)
    second = truths.reshape(len(truths), math.prod(truths.shape[1:])).astype(np.float32)
    both = first @ second.T
    either = first.sum(1)[:, None] + second.sum(1)[None] - both
    return both / np.maximum(either, 1)


def match(scene: Scene, least_share: float = 0.0) -> Matches:
    """Return the matches of detections with people at each IoU threshold.

    Detections are processed in order, from the highest score to the lowest. Each one is matched to the unmatched person
    with the largest overlap. People that cover less than `least_share`, 0..1, of the picture are ignored.
    """
    order = np.argsort(-scene.scores, kind="stable")
    found = scene.found[order]
    counted = scene.truths.sum((1, 2)) >= least_share * scene.truths[0].size if len(scene.truths) else np.zeros(0, bool)
    overlaps = mask_overlaps(found, scene.truths)
    right = np.zeros((len(IOU_THRESHOLDS), len(found)), bool)
    skipped = np.zeros_like(right)
    for row, threshold in enumerate(IOU_THRESHOLDS):
        free = np.ones(len(scene.truths), bool)
        for column in range(len(found)):
            # People that count are matched before those that do not, as in COCO's own code.
            for group in (counted, ~counted):
                able = free & group & (overlaps[column] >= threshold - 1e-9)
                if able.any():
                    taken = int(np.argmax(np.where(able, overlaps[column], -1)))
                    free[taken] = False
                    right[row, column], skipped[row, column] = counted[taken], not counted[taken]
                    break
            else:
                skipped[row, column] = _belongs_to_nobody(found[column], scene, threshold, least_share)
    return Matches(scene.scores[order], right, skipped, int(counted.sum()))


def _belongs_to_nobody(mask: np.ndarray, scene: Scene, threshold: float, least_share: float) -> bool:
    """Return whether an unmatched detection is ignored: it is too small, or it lies in an ignored region."""
    area = int(mask.sum())
    if area < least_share * mask.size:
        return True
    return scene.ignored is not None and area > 0 and (mask & scene.ignored).sum() / area >= threshold


def average_precision(scores: np.ndarray, right: np.ndarray, people: int) -> float:
    """Return the area under the precision envelope, sampled at 101 recalls, 0..1.

    scores: the scores of the detections, (n,), in any order.
    right: (n,) bool, whether each detection matches a person.
    people: the number of people.
    """
    order = np.argsort(-scores, kind="stable")
    hits = right[order].cumsum()
    recall, precision = hits / people, hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, RECALLS - 1e-9)
    return float(np.append(envelope, 0.0)[places].mean())


@dataclass
class PeopleScores:
    """The matches of many pictures, and their measures."""

    least_share: float = 0.0
    count_score: float = 0.5  # least score of a person that counts
    matches: list[Matches] = field(default_factory=list)
    count_errors: list[int] = field(default_factory=list)

    def add(self, scene: Scene) -> None:
        matched = match(scene, self.least_share)
        self.matches.append(matched)
        sure = matched.scores >= self.count_score
        counted = int((sure & ~matched.skipped[0]).sum())
        self.count_errors.append(abs(counted - matched.people))

    def summary(self) -> dict[str, float]:
        """Return the measures of all pictures by name. If there are no people, return only `pictures` and `people`.

        - `ap`, `ap50`: the average precision over all IoU thresholds, and at the threshold 0.5
        - `ar`: the average recall
        - `count_error`: the mean error of the number of people in a picture
        - `pictures`, `people`: the numbers of pictures and people
        """
        people = sum(matched.people for matched in self.matches)
        figures: dict[str, float] = {"pictures": len(self.matches), "people": people}
        if not people:
            return figures
        precisions, recalls = [], []
        for row in range(len(IOU_THRESHOLDS)):
            scores = np.concatenate([m.scores[~m.skipped[row]] for m in self.matches])
            right = np.concatenate([m.right[row][~m.skipped[row]] for m in self.matches])
            precisions.append(average_precision(scores, right, people))
            recalls.append(right.sum() / people)
        return figures | {
            "ap": float(np.mean(precisions)),
            "ap50": precisions[0],
            "ar": float(np.mean(recalls)),
            "count_error": float(np.mean(self.count_errors)),
        }
