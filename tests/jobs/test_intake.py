"""What a checked picture holds on to, and whose limits count."""

from __future__ import annotations

from typing import IO

import pytest

from jobs.intake.sources import accept_stored, default_limits
from jobs.results import storage
from tests import photos


def test_a_stored_picture_that_was_checked_keeps_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    data, opened = photos.encoded("PNG"), []
    stored = storage.store("uploads/a.png", data)
    open_file = storage.open_file

    def remembered(key: str) -> IO[bytes]:
        opened.append(open_file(key))
        return opened[-1]

    monkeypatch.setattr(storage, "open_file", remembered)

    source = accept_stored(stored.key, name="a.png")

    assert [file.closed for file in opened] == [True]
    assert source.read() == source.read() == data
    assert all(file.closed for file in opened)


@pytest.mark.parametrize(("sites", "doors", "counts"), [(1000, 2000, 1000), (2000, 1000, 1000)])
def test_of_the_sites_limit_and_a_doors_the_stricter_one_counts(settings, sites: int, doors: int, counts: int) -> None:
    settings.MATTING_MAX_IMAGE_BYTES = settings.MATTING_MAX_IMAGE_PIXELS = sites

    limits = default_limits(max_bytes=doors, max_pixels=doors, min_side_px=7)

    assert (limits.max_bytes, limits.max_pixels, limits.min_side_px) == (counts, counts, 7)
