"""Drawn pictures with masks, stored as pairs of files in a folder or in shards (zip files of training pictures)."""

import zipfile

import cv2
import numpy as np

SIZE = 64


def disc(seed, size=SIZE):
    """Return a photo of a bright disc on a dark, noisy background, (size, size, 3) uint8, and its mask."""
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 90, (size, size, 3), dtype=np.uint8)
    mask = np.zeros((size, size), np.uint8)
    centre = tuple(int(value) for value in rng.integers(size // 3, 2 * size // 3, 2))
    cv2.circle(mask, centre, size // 5, 255, -1)
    photo[mask > 0] = rng.integers(170, 255, 3)
    return photo, mask


def png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()


def write_pairs(folder, count=8):
    folder.mkdir(exist_ok=True)
    for index in range(count):
        photo, mask = disc(index)
        cv2.imwrite(str(folder / f"photo-{index}.jpg"), photo)
        cv2.imwrite(str(folder / f"photo-{index}.png"), mask)
    return folder


def write_shard(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
