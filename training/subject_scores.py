"""Measurement of how often the kind of a subject is detected correctly: person, object or stamp.

The samples are:

- photos of `val-people` with people on at least 8 % of the picture; the true kind is person
- photos of `val-duts`, labelled by hand in `val_duts_subjects.json`: people are persons, other things are objects, and
  mixtures of both are not used
- generated pages; with a stamp, the true kind is stamp, without a stamp it is object
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segmentation.options import Subject
from training.data import decode, entries
from training.stamped_pages import plain_page, stamped_page

KINDS = (Subject.PERSON, Subject.OBJECT, Subject.STAMP)
MIN_PEOPLE_SHARE = 0.08
FIRST_PAGE_SEED = 1000  # tests use smaller seeds, and the thresholds were chosen on them
LABELS = Path(__file__).with_name("val_duts_subjects.json")
Sample = tuple[str, Subject, np.ndarray]  # set, truth, (H, W, 3) uint8
Counts = Counter[tuple[str, Subject, Subject]]  # set, true kind, detected kind


def photo_samples(data: Path, every: int) -> Iterator[Sample]:
    """Yield the set, the true kind and the pixels of each validation photo with one kind of subject.

    data: the folder with the sets.
    every: use only one of this number of photos, for example every tenth.
    """
    labels = json.loads(LABELS.read_text(encoding="utf-8"))
    people, mixed = set(labels["person"]), set(labels["mixed"])
    for entry in list(entries(data / "val-duts-00.zip"))[::every]:
        name = entry.name.rpartition("/")[2]
        if name not in mixed:
            truth = Subject.PERSON if name in people else Subject.OBJECT
            yield "val-duts", truth, decode(entry.read(entry.photo), colour=True)
    for entry in list(entries(data / "val-people-00.zip"))[::every]:
        if (decode(entry.read(entry.name + ".png"), colour=False) > 127).mean() >= MIN_PEOPLE_SHARE:
            yield "val-people", Subject.PERSON, decode(entry.read(entry.photo), colour=True)


def page_samples(count: int) -> Iterator[Sample]:
    """Yield `count` generated pages with a stamp and `count` without one, each with its set and true kind."""
    for seed in range(FIRST_PAGE_SEED, FIRST_PAGE_SEED + count):
        yield "stamped pages", Subject.STAMP, stamped_page(seed).rgb
        yield "printed pages", Subject.OBJECT, plain_page(seed)


def confusion_table(counts: Counts) -> str:
    """Return the counts as a Markdown table, followed by the shares of correct results.

    counts: the number of samples by set, true kind and detected kind; not empty.
    """
    lines = ["| set | truth | " + " | ".join(KINDS) + " | right |", "|---|---|" + "--:|" * (len(KINDS) + 1)]
    rows = sorted({(sample_set, truth) for sample_set, truth, _ in counts})
    for sample_set, truth in rows:
        answers = [counts[sample_set, truth, kind] for kind in KINDS]
        right = counts[sample_set, truth, truth] / sum(answers)
        lines.append(f"| {sample_set} | {truth} | " + " | ".join(map(str, answers)) + f" | {right:.1%} |")
    shares = []
    for kind in KINDS:
        of_kind = sum(number for (_, truth, _), number in counts.items() if truth is kind)
        found = sum(number for (_, truth, answer), number in counts.items() if truth is answer is kind)
        if of_kind:
            shares.append(f"{kind} {found / of_kind:.1%}")
    overall = sum(number for (_, truth, answer), number in counts.items() if truth is answer) / sum(counts.values())
    return "\n".join([*lines, "", f"Right in all: {overall:.1%}; " + ", ".join(shares) + ".", ""])
