"""`manage.py label` runs an installed model on a folder of photos and writes the masks as training data."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from segmentation.errors import MattingError


class Command(BaseCommand):
    requires_system_checks = ()  # this command uses neither the database nor the pages
    help = "Write a soft mask for each photo of a folder, with a measure of how unsure the model was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="photos, in sub-folders too")
        parser.add_argument("--out", type=Path, required=True, help="where photos and masks go, ready for train --data")
        parser.add_argument("--model", type=Path, default=Path(settings.MATTING_WEIGHTS), metavar="WEIGHTS")
        parser.add_argument("--threads", type=int, metavar="N", help="cores to use (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        from segmentation.engines.registry import load_engine
        from training.data import LARGEST_UNDECIDED
        from training.label import label_photos, photos_of

        try:
            if not (photos := photos_of(options["folder"])):
                raise CommandError(f"{options['folder']} holds no photos")
            engine = load_engine(options["model"], threads=options["threads"])
            written = unsure = 0
            with tqdm(total=len(photos), unit="photo", file=self.stderr, mininterval=1.0) as bar:
                for path, label in label_photos(engine, options["folder"], options["out"]):
                    bar.update()
                    if label is None:
                        self.stderr.write(f"{path}: not a picture, left out")
                        continue
                    written += 1
                    unsure += label.undecided > LARGEST_UNDECIDED
        except (MattingError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{written} masks written by {engine.name} {engine.version}, {len(photos) - written} there before or left "
            f"out; {unsure} are unsure and teach only where they are certain. Train on them: --data {options['out']}"
        )
