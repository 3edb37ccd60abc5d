"""`manage.py evaluate` measures the quality of a weights file on a folder of pictures and masks."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from segmentation.errors import MattingError


class Command(BaseCommand):
    requires_system_checks = ()  # this command uses neither the database nor the pages
    help = "Score the model on a folder or zip of NAME.jpg with NAME.png masks (or --masks DIR)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder, a zip, or a folder of zips")
        parser.add_argument(
            "--task", choices=("auto", "boxes", "clicks", "corrections", "instances", "pairs"), default="auto"
        )
        parser.add_argument("--masks", type=Path, metavar="DIR", help="folder of the masks, if not beside the photos")
        parser.add_argument("--weights", type=Path, default=Path(settings.MATTING_WEIGHTS), metavar="FILE")
        parser.add_argument("--size", type=int, metavar="PIXELS", help="input size instead of the manifest's")
        parser.add_argument("--held-out", action="store_true", help="score only the pictures that training leaves out")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        from training.evaluate import evaluate

        try:
            figures = evaluate(
                options["folder"],
                task=options["task"],
                weights=options["weights"],
                masks=options["masks"],
                size=options["size"],
                only_held_out=options["held_out"],
            )
        except (MattingError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, value in figures.items():
            self.stdout.write(f"{name:20} {value:.4f}" if isinstance(value, float) else f"{name:20} {value}")
