"""Tests that a download reads at most the allowed number of bytes, also from an endless or compressed response."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest

from jobs.errors import DownloadFailed
from jobs.intake.fetch import fetch_bytes
from segmentation.errors import ImageTooLarge
from tests.jobs.site import PICTURE, Answer, Site, answer, endless, endless_chunks


def test_a_body_of_exactly_the_cap_passes(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(bytes(1000))})
    assert len(fetch_bytes(site.url("/a.png"), site.policy(max_bytes=1000)).data) == 1000


def test_a_declared_length_over_the_cap_is_refused_before_the_body_comes(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(b"", headers={"Content-Length": "1001"})})
    with pytest.raises(ImageTooLarge):
        fetch_bytes(site.url("/a.png"), site.policy(max_bytes=1000))


@pytest.mark.parametrize("body", [endless, endless_chunks], ids=["until the end", "chunked"])
def test_a_body_without_a_length_is_cut_off_at_the_cap(body: Answer, serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": body})
    with pytest.raises(ImageTooLarge):
        fetch_bytes(site.url("/a.png"), site.policy(max_bytes=300_000))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_bomb_is_cut_off_by_its_decoded_size(coding: str, serve: Callable[..., Site]) -> None:
    pack = gzip.compress if coding == "gzip" else zlib.compress
    bomb = pack(bytes(30_000_000))
    site = serve({"/a.png": answer(bomb, headers={"Content-Encoding": coding})})
    assert len(bomb) < 100_000
    with pytest.raises(ImageTooLarge):
        fetch_bytes(site.url("/a.png"), site.policy(max_bytes=100_000))


def test_a_compressed_answer_within_the_cap_is_unpacked(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(gzip.compress(PICTURE), headers={"Content-Encoding": "gzip"})})
    assert fetch_bytes(site.url("/a.png"), site.policy()).data == PICTURE


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "unheard-of"])
def test_another_compression_is_refused(coding: str, serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(headers={"Content-Encoding": coding})})
    with pytest.raises(DownloadFailed):
        fetch_bytes(site.url("/a.png"), site.policy())
