"""Tests of the command that writes a model's masks for a folder of photos.

The command continues after an interruption, and reports uncertain masks.
"""

import json

import cv2
import numpy as np
import pytest

from segmentation.engines.base import Matte
from training.bank import bank_from
from training.data import entries
from training.label import label_photos
from training.mixture import whole_photos

from .drawn import disc


class HalfSure:
    """A fake inference engine whose subject is the left half of the picture.

    undecided: the fraction of columns, next to the subject, that have the alpha 0.5.
    """

    name, version = "half", "0123456789ab"

    def __init__(self, undecided=0.0):
        self.undecided, self.calls = undecided, 0

    def auto(self, rgb):
        self.calls += 1
        alpha = np.zeros((20, 100), np.float32)
        alpha[:, :50] = 1
        alpha[:, 50 : 50 + round(100 * self.undecided)] = 0.5
        return Matte(alpha)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for number, name in enumerate(("a.jpg", "deep/b.png", "deep/c.webp")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), disc(number, size=80)[0])
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def test_every_photo_gets_a_soft_mask_of_its_size_and_a_label(photos, tmp_path):
    labelled = dict(label_photos(HalfSure(0.08), photos, tmp_path / "out"))

    assert [path.name for path, label in labelled.items() if label is None] == ["broken.jpg"]
    mask = cv2.imread(str(tmp_path / "out" / "deep-b.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (80, 80)
    assert (mask[40, 10], mask[40, 75]) == (255, 0)
    assert 100 < mask[40, 43] < 156
    note = json.loads((tmp_path / "out" / "a.label.json").read_text())
    assert note == {"model": "half", "version": "0123456789ab", "subject": 0.5, "undecided": 0.16}
    assert sorted(entry.name for entry in entries(tmp_path / "out")) == ["a", "deep-b", "deep-c"]


def test_a_second_run_labels_only_what_is_new(photos, tmp_path):
    list(label_photos(HalfSure(), photos, tmp_path / "out"))
    (tmp_path / "out" / "a.label.json").unlink()
    again = HalfSure()

    labelled = [path.name for path, label in label_photos(again, photos, tmp_path / "out") if label]

    assert labelled == ["a.jpg"]
    assert again.calls == 1


def test_masks_are_not_written_among_the_photos(photos):
    with pytest.raises(ValueError, match="outside the folder"):
        next(label_photos(HalfSure(), photos, photos / "masks"))


@pytest.mark.parametrize(("undecided", "trusted"), [(0.08, 1.0), (0.3, 0.85)])
def test_an_unsure_mask_teaches_only_where_it_is_certain(photos, tmp_path, undecided, trusted):
    list(label_photos(HalfSure(undecided), photos, tmp_path / "out"))

    batch = whole_photos(bank_from(list(entries(tmp_path / "out")), 64), 48, 64)

    share = float(batch.trusted[:, 0].mean())
    assert share == 1.0 if trusted == 1.0 else 0.5 < share < 0.95
