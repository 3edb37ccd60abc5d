"""Tests of submitted pictures: stored pictures, base64, the limits that apply, and errors of the disk or memory."""

from __future__ import annotations

import base64
import errno
from typing import IO
from urllib.parse import quote

import pytest

from jobs.errors import StorageFailed
from jobs.intake.sources import accept_base64, accept_bytes, accept_stored, default_limits
from jobs.results import storage
from segmentation.errors import ImageUnreadable
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


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: "data:image/png;base64," + text,
        lambda text: "DATA:image/png;BASE64," + text,
        lambda text: " \r\n data:image/png;base64," + text,
        lambda text: "data:;base64," + quote(text, safe=""),
        lambda text: "\n".join(text[start : start + 76] for start in range(0, len(text), 76)),
        lambda text: text.rstrip("="),
        str.encode,
    ],
)
def test_base64_is_read_in_every_form_that_clients_send(wrap) -> None:
    data = photos.encoded("PNG")

    assert accept_base64(wrap(base64.b64encode(data).decode())).read() == data


@pytest.mark.parametrize("text", ["data:image/svg+xml,<svg/>", "no!base64", "data:image/png;base64,????"])
def test_what_is_no_base64_is_told_so(text: str) -> None:
    with pytest.raises(ImageUnreadable, match=r"not .*base64"):
        accept_base64(text)


@pytest.mark.parametrize("fault", [MemoryError(), OSError(errno.EMFILE, "too many open files")])
def test_a_fault_of_the_machine_is_no_verdict_about_the_picture(monkeypatch: pytest.MonkeyPatch, fault) -> None:
    def out_of_order(self) -> None:
        raise fault

    monkeypatch.setattr("segmentation.formats.png.OpenedPng.prove", out_of_order)

    with pytest.raises(StorageFailed):
        accept_bytes(photos.encoded("PNG"))
