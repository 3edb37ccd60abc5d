"""`manage.py compare_quality PHOTOS MASKS` measures the qualities `fast`, `auto` and `fine` on photos with masks.

The report also helps to choose the uncertainty threshold of `auto`.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.inference.comparison import Comparison, measure

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


class Command(BaseCommand):
    help = "Compare the qualities fast, auto and fine on photos with masks, and say which level of auto to set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("photos", type=Path, nargs="?", help="folder of photos, or of folders that are sets")
        parser.add_argument(
            "masks",
            type=Path,
            nargs="?",
            help="folder of gray masks with the photos' names, as .png; NAME.ignore.png is white where nothing counts",
        )
        parser.add_argument("--fine", type=Path, help="weights of the fine model (default: the active one)")
        parser.add_argument("--limit", type=int, default=200, help="at most so many photos (default: 200)")
        parser.add_argument("--record", type=Path, metavar="FILE", help="also keep each photo's figures, as JSON")
        parser.add_argument("--from", type=Path, dest="recorded", metavar="FILE", help="read such a file; run no model")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["recorded"]:
            try:
                found = Comparison.from_json(json.loads(options["recorded"].read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise CommandError(f"{options['recorded']} cannot be read: {error}") from None
        elif options["photos"] and options["masks"]:
            found = _measured(options["photos"], options["masks"], options["fine"], options["limit"])
        else:
            raise CommandError("Name a folder of photos and one of masks, or a file with --from.")
        if options["record"]:
            text = json.dumps(found.to_json(), indent=1, ensure_ascii=False)
            options["record"].write_text(text + "\n", encoding="utf-8")
        for title, part in found.by_set():
            self.stdout.write(f"{title}\n\n{part.markdown()}\n")


def _measured(photos: Path, masks: Path, fine_weights: Path | None, limit: int) -> Comparison:
    from jobs.inference.engines import built_in, engines, load
    from jobs.inference.pool import Weights
    from jobs.models import Role, Tier

    if fine_weights:
        fine = load(Weights(settings.BASE_DIR / fine_weights))
    else:
        engines().refresh()
        active = engines().engine(Role.SUBJECT, Tier.FINE)
        if active is None:
            raise CommandError("No fine model is active. Name its weights: --fine weights/isnet-general-use.onnx")
        fine = active
    fast = load(built_in(Role.SUBJECT))
    measured = measure(_pairs(photos, masks, limit), fast, fine)
    if not measured:
        raise CommandError(f"No photo in {photos} has a mask in {masks}.")
    return Comparison(f"{fast.name} {fast.version}", f"{fine.name} {fine.version}", tuple(measured))


def _pairs(photos: Path, masks: Path, limit: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the name, the photo (H, W, 3) uint8 RGB and the mask (H, W) float32 0..1 of each photo that has a mask.

    Mask pixels that must be ignored are NaN.

    limit: the largest number of photos.
    """
    paths = sorted(path for path in photos.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES)
    names = [path.relative_to(photos).with_suffix("") for path in paths]
    paired = [pair for pair in zip(names, paths, strict=True) if (masks / f"{pair[0]}.png").is_file()]
    step = max(1, len(paired) // limit)
    for name, path in paired[::step][:limit]:
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        gray = cv2.imread(str(masks / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        if photo is None or gray is None or photo.shape[:2] != gray.shape:
            continue
        mask = gray.astype(np.float32) / 255
        ignored = cv2.imread(str(masks / f"{name}.ignore.png"), cv2.IMREAD_GRAYSCALE)
        if ignored is not None and ignored.shape == mask.shape:
            mask[ignored > 127] = np.nan
        yield name.as_posix(), cv2.cvtColor(photo, cv2.COLOR_BGR2RGB), mask
