"""Masks for a folder of photos, made by an installed model, as training data for `manage.py train`.

For each photo NAME, the output folder contains three files:

- a copy of the photo with its original suffix; a photo that is a PNG becomes a lossless WebP
- NAME.png: its alpha, 8 bit, at the photo's size
- NAME.label.json: the model and its uncertainty (see Label)

The JSON file is written last, so that a second run continues where the first one stopped. The NAME of a photo in a
sub-folder includes the sub-folder.
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
from segmentation.resizing import enlarge
from training.data import LABEL_SUFFIX, PHOTO_SUFFIXES, UNDECIDED, decode

OPAQUE = 0.5


@dataclass(frozen=True)
class Label:
    """The values that are stored with a mask.

    model, version: the engine's name and version.
    subject: the opaque share of the picture, 0..1.
    undecided: the area that is neither clearly subject nor clearly background, divided by the subject's area (at least
    one pixel). It is 0 if all pixels are certain.
    """

    model: str
    version: str
    subject: float
    undecided: float


def photos_of(folder: Path) -> list[Path]:
    """Return the photos of a folder and its sub-folders, sorted by path."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file())


def label_of(alpha: np.ndarray, engine: Engine) -> Label:
    """Return the label of an alpha, (h, w) float32 0..1, that the engine computed."""
    solid = float((alpha > OPAQUE).mean())
    between = float(((alpha > UNDECIDED[0]) & (alpha < UNDECIDED[1])).mean())
    least = 1 / alpha.size
    return Label(engine.name, engine.version, round(solid, 5), round(between / max(solid, least), 5))


def label_photos(engine: Engine, folder: Path, out: Path) -> Iterator[tuple[Path, Label | None]]:
    """Write a mask for each photo that has no mask yet.

    Yield each such photo with its label, or with None if the photo is unreadable.

    folder: the photos.
    out: the folder of the masks.

    Raise ValueError if `out` is the folder of photos or inside it, because the masks would then be used as photos.
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
        photo = cv2.imencode(".webp", rgb[..., ::-1], (cv2.IMWRITE_WEBP_QUALITY, 101))[1]  # 101: lossless
        target.with_name(target.name + ".webp").write_bytes(photo.tobytes())
    else:
        shutil.copyfile(path, target.with_name(target.name + suffix))
    target.with_name(target.name + ".png").write_bytes(mask.tobytes())
    draft = note.with_name(note.name + ".part")
    draft.write_text(json.dumps(asdict(label)) + "\n", encoding="utf-8")
    draft.replace(note)
    return label
