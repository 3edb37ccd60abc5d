"""Stage 6, the model, measured: `manage.py evaluate_subjects DATA` counts how often the subject's kind is named right.

The set: every photo of `val-people` with people on at least 8 % of it (person); every photo of `val-duts`, sorted by
eye in `val_duts_subjects.json` into people, mixtures of people and things (left out) and the rest (object); generated
pages with a stamp (stamp), and without one (object).
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from segmentation.errors import MattingError
from segmentation.options import Subject

KINDS = (Subject.PERSON, Subject.OBJECT, Subject.STAMP)
MIN_PEOPLE_SHARE = 0.08
FIRST_PAGE_SEED = 1000  # the tests look at pages of smaller seeds, and the thresholds were chosen on those
LABELS = Path(__file__).with_name("val_duts_subjects.json")
Sample = tuple[str, Subject, np.ndarray]  # set, truth, (H, W, 3) uint8


class Command(BaseCommand):
    requires_system_checks = ()  # neither database nor pages are touched
    help = "Score how often a picture is rightly named person, object or stamp; print the confusion table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "data", type=Path, metavar="DATA", help="the folder of val-people-00.zip and val-duts-00.zip"
        )
        parser.add_argument("--weights", type=Path, default=Path(settings.MATTING_WEIGHTS), metavar="FILE")
        parser.add_argument("--pages", type=int, default=60, help="how many generated pages of each kind")
        parser.add_argument("--every", type=int, default=1, metavar="N", help="take only each Nth photo")

    def handle(self, *args: object, **options: object) -> None:
        from segmentation.classify import which_subject
        from segmentation.engines.registry import load_engine

        try:
            engine = load_engine(options["weights"], cache_dir=Path(settings.DATA_DIR) / "engine-cache")
            samples = [
                *photo_samples(options["data"], options["every"]),
                *page_samples(options["pages"]),
            ]
            counts = Counter(
                (sample_set, truth, which_subject(rgb, engine.auto(rgb)))
                for sample_set, truth, rgb in tqdm(samples, unit="picture", file=self.stderr)
            )
        except (MattingError, OSError, ImportError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"weights {engine.name} {engine.version}, {sum(counts.values())} pictures\n\n")
        self.stdout.write(confusion_table(counts))


def photo_samples(data: Path, every: int) -> Iterator[Sample]:
    """Read the validation photos that show one kind of subject."""
    from training.data import decode, entries

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
    """Make pages that no threshold has seen."""
    from tests.segmentation.stamped_pages import plain_page, stamped_page

    for seed in range(FIRST_PAGE_SEED, FIRST_PAGE_SEED + count):
        yield "stamped pages", Subject.STAMP, stamped_page(seed).rgb
        yield "printed pages", Subject.OBJECT, plain_page(seed)


def confusion_table(counts: Counter[tuple[str, Subject, Subject]]) -> str:
    """Write counts of (set, truth, answer) as a Markdown table, with the shares of right answers below it."""
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
