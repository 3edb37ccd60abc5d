"""Let an installed model write masks for a folder of photos, which `manage.py train` can then learn from.

In OUT lies, for each photo, NAME with its own suffix (a copy), NAME.png (its alpha, 8 bit, at the photo's size) and
NAME.label.json (which model wrote it, and how unsure it was); the last is written last, so that a second run goes on
where the first one stopped. A photo in a sub-folder is named after both.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from segmentation.engines.base import Engine
from segmentation.refine import enlarge
from training.data import LABEL_SUFFIX, PHOTO_SUFFIXES, UNDECIDED, decode

OPAQUE = 0.5


@dataclass(frozen=True)
class Label:
    """What is noted beside a mask.

    model, version: which engine wrote it. subject: the share of the picture that is opaque, 0..1. undecided: the area
    that is neither clearly subject nor clearly background, as a share of the subject's; 0 where all is certain, and as
    high as the picture allows where there is no subject.
    """

    model: str
    version: str
    subject: float
    undecided: float


def photos_of(folder: Path) -> list[Path]:
    """List the photos of a folder and of its sub-folders, in order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file())


def label_of(alpha: np.ndarray, engine: Engine) -> Label:
    """Measure an alpha (h, w) float32 as its engine gave it."""
    solid = float((alpha > OPAQUE).mean())
    between = float(((alpha > UNDECIDED[0]) & (alpha < UNDECIDED[1])).mean())
    least = 1 / alpha.size
    return Label(engine.name, engine.version, round(solid, 5), round(between / max(solid, least), 5))


def label_photos(engine: Engine, folder: Path, out: Path) -> Iterator[tuple[Path, Label | None]]:
    """Write a mask for every photo that has none yet; yield each photo with its label, or None for no picture.

    Raises ValueError when `out` is, or lies in, the folder of photos: masks would be taken for photos.
    """
    if out.resolve().is_relative_to(folder.resolve()):
        raise ValueError("the masks must lie outside the folder of photos")
    out.mkdir(parents=True, exist_ok=True)
    for path in photos_of(folder):
        name = "-".join(path.relative_to(folder).with_suffix("").parts)
        note = out / (name + LABEL_SUFFIX)
        if note.exists():
            continue
        try:
            rgb = decode(path.read_bytes(), colour=True)
        except ValueError:
            yield path, None
            continue
        yield path, _write(engine, rgb, path, out / name, note)


def _write(engine: Engine, rgb: np.ndarray, path: Path, target: Path, note: Path) -> Label:
    alpha = engine.auto(rgb).alpha
    label = label_of(alpha, engine)
    full = enlarge(alpha, *rgb.shape[:2])
    mask = cv2.imencode(".png", np.rint(full * 255).astype(np.uint8))[1]
    suffix = path.suffix.lower()
    if suffix == ".png":  # NAME.png is the mask
        photo = cv2.imencode(".webp", rgb[..., ::-1], (cv2.IMWRITE_WEBP_QUALITY, 101))[1]  # 101: without loss
        target.with_name(target.name + ".webp").write_bytes(photo.tobytes())
    else:
        shutil.copyfile(path, target.with_name(target.name + suffix))
    target.with_name(target.name + ".png").write_bytes(mask.tobytes())
    draft = note.with_name(note.name + ".part")
    draft.write_text(json.dumps(asdict(label)) + "\n", encoding="utf-8")
    draft.replace(note)
    return label
