"""`manage.py compare_quality PHOTOS MASKS`: measure fast, auto and fine, and calibrate the level of auto."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


class Command(BaseCommand):
    help = "Compare the qualities fast, auto and fine on photos with masks, and say which level of auto to set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("photos", type=Path, help="folder of photos")
        parser.add_argument("masks", type=Path, help="folder of gray masks with the photos' names, as .png")
        parser.add_argument("--fine", type=Path, help="weights of the fine model (default: the active one)")
        parser.add_argument("--limit", type=int, default=200, help="at most so many photos (default: 200)")

    def handle(self, *args: Any, **options: Any) -> None:
        from jobs.inference.comparison import error_held_by_most_uncertain, measure, outcomes
        from jobs.inference.engines import built_in, engines, load
        from jobs.inference.pool import Weights
        from jobs.models import Role, Tier

        if options["fine"]:
            fine = load(Weights(settings.BASE_DIR / options["fine"]))
        else:
            engines().refresh()
            active = engines().engine(Role.SUBJECT, Tier.FINE)
            if active is None:
                raise CommandError("No fine model is active. Name its weights: --fine weights/isnet-general-use.onnx")
            fine = active
        measured = measure(_pairs(options["photos"], options["masks"], options["limit"]), load(built_in()), fine)
        if not measured:
            raise CommandError(f"No photo in {options['photos']} has a mask in {options['masks']}.")
        self.stdout.write(f"{len(measured)} photos, fine model {fine.name}")
        self.stdout.write("| quality | level | share escalated | mean time | mean error |\n|---|---|---|---|---|")
        for one in outcomes(measured):
            level = "" if one.above is None else f"{one.above:.3f}"
            row = (one.quality, level, f"{one.escalated_share:.0%}", f"{one.mean_s * 1000:.0f} ms", f"{one.error:.4f}")
            self.stdout.write(f"| {' | '.join(row)} |")
        held = error_held_by_most_uncertain(measured)
        self.stdout.write(f"The 20 % most uncertain photos hold {held:.0%} of the fast model's error.")


def _pairs(photos: Path, masks: Path, limit: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield photos, (H, W, 3) uint8, with their masks, (H, W) float32 0..1; photos without a mask are skipped."""
    paths = sorted(path for path in photos.iterdir() if path.suffix.lower() in PHOTO_SUFFIXES)
    paired = [(path, mask) for path in paths if (mask := masks / f"{path.stem}.png").is_file()]
    step = max(1, len(paired) // limit)
    for path, mask_path in paired[::step][:limit]:
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        gray = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE)
        if photo is not None and gray is not None and photo.shape[:2] == gray.shape:
            yield cv2.cvtColor(photo, cv2.COLOR_BGR2RGB), gray.astype(np.float32) / 255
