"""Tests of all files in the table of docs/formats.md: their results, notes and errors."""

from __future__ import annotations

import re

import numpy as np
import pytest

from segmentation.errors import ImageError
from segmentation.image import Limits, decode, probe
from tests.segmentation.formats import build, rows
from tests.segmentation.formats.rows import File, Row

LIMITS = Limits()


@pytest.mark.parametrize("row", rows.ROWS, ids=lambda row: f"{row.format} {row.what[:50]}")
@pytest.mark.slow
def test_a_row_of_the_table_is_true(row: Row) -> None:
    for number, file in enumerate(row.files()):
        if row.refused:
            assert isinstance(file, bytes)
            _check_refused(file, row.refused)
        else:
            assert isinstance(file, File)
            _check_read(file, row, number)


def _check_refused(data: bytes, words: str) -> None:
    for read in (probe, decode):
        with pytest.raises(ImageError, match=words) as caught:
            read(data, LIMITS)
        assert caught.value.http_status < 500


def _check_read(file: File, row: Row, number: int) -> None:
    found, picture = probe(file.data, LIMITS), decode(file.data, LIMITS)
    rgb, right = picture.rgb, file.rgb
    if right.shape == (1, 1, 3):  # one colour represents all, at the ball's pixel or in the middle
        spot = build.SPOT if rgb.shape[:2] == (240, 320) else (rgb.shape[0] // 2, rgb.shape[1] // 2)
        rgb = rgb[spot][None, None]
    assert rgb.shape == right.shape, number
    difference = np.abs(rgb.astype(int) - right)
    if picture.alpha is not None:
        difference = difference * (np.rint(picture.alpha * 255) > 24)[..., None]  # transparent pixels have no colour
    most = np.percentile(difference, 97) if file.lossy else difference.max()
    assert most <= file.tolerance, (number, most)
    if file.alpha is None:
        assert picture.alpha is None or row.what == "interlaced", number
    else:
        assert picture.alpha is not None, number
        assert np.abs(picture.alpha * 255 - file.alpha).max() <= max(1, file.tolerance), number
    if row.notes[:1] == ("*",):
        assert set(row.notes[1:]) <= set(picture.probe.notes), number
    else:
        assert picture.probe.notes == row.notes or set(picture.probe.notes) == set(row.notes), number
    assert (found.width, found.height) == picture.rgb.shape[1::-1]
    assert set(found.notes) <= set(picture.probe.notes)


def test_the_page_shows_the_table() -> None:
    page = rows.PAGE.read_text(encoding="utf-8")

    assert page.partition(rows.BEGIN)[2].partition(rows.END)[0].strip() == rows.table()


def test_every_accepted_format_has_rows() -> None:
    from segmentation.formats.sniff import FORMATS, NAMES

    named = {row.format for row in rows.ROWS}

    assert named == {NAMES[name] for name in FORMATS}
    assert all(re.search(r"\w", row.what) for row in rows.ROWS)
