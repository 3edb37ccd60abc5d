"""`manage.py evaluate_subjects DATA` measures how often the kind of subject is detected correctly.

The kinds are person, object and stamp.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from segmentation.errors import MattingError


class Command(BaseCommand):
    requires_system_checks = ()  # this command uses neither the database nor the pages
    help = "Count how often a picture is correctly named person, object or stamp; print the confusion table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "data", type=Path, metavar="DATA", help="the folder of val-people-00.zip and val-duts-00.zip"
        )
        parser.add_argument("--weights", type=Path, default=Path(settings.MATTING_WEIGHTS), metavar="FILE")
        parser.add_argument("--pages", type=int, default=60, help="number of generated pages of each kind")
        parser.add_argument("--every", type=int, default=1, metavar="N", help="use only every Nth photo")

    def handle(self, *args: Any, **options: Any) -> None:
        from segmentation.classify import which_subject
        from segmentation.engines.registry import load_engine
        from training.subject_scores import confusion_table, page_samples, photo_samples

        try:
            engine = load_engine(options["weights"], cache_dir=Path(settings.DATA_DIR) / "engine-cache")
            samples = [*photo_samples(options["data"], options["every"]), *page_samples(options["pages"])]
            counts = Counter(
                (sample_set, truth, which_subject(rgb, engine.auto(rgb)))
                for sample_set, truth, rgb in tqdm(samples, unit="picture", file=self.stderr)
            )
        except (MattingError, OSError, ImportError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"weights {engine.name} {engine.version}, {sum(counts.values())} pictures\n\n")
        self.stdout.write(confusion_table(counts))
