"""Tests that damaged files of all formats give a picture or an ImageError, with the same result at a second reading."""

from __future__ import annotations

import pytest

from tests.segmentation.formats import mutated


@pytest.mark.slow
def test_two_thousand_damaged_files_are_read_or_refused() -> None:
    counts, faults = mutated.check_batch(range(2000))

    assert faults == []
    assert counts.total() == 2000
    assert counts["read"] > 200
    assert counts["refused"] > 200
