"""Tests that pictures are decoded in separate processes, and that a crash of a decoder affects no other process."""

from __future__ import annotations

import os
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest
from pytest_django import Settings

from jobs.errors import RateLimited, ServerBusy
from jobs.intake import sources
from jobs.pixels import PixelProcess, TeamShares
from segmentation.errors import ImageUnreadable
from segmentation.image import Limits
from tests import photos


@pytest.fixture
def process(settings: Settings) -> PixelProcess:
    settings.MATTING_PIXEL_PROCESSES = True
    return PixelProcess(longest_queue=2, idle_s=0)


def test_work_runs_in_another_process_which_ends_alone(process: PixelProcess) -> None:
    assert process.run(os.getpid) != os.getpid()

    with pytest.raises(BrokenProcessPool):
        process.run(os._exit, 1)

    assert process.run(len, b"abc") == 3


def test_what_is_wrong_with_a_picture_is_told_across_the_border(
    process: PixelProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources.pixels, "checks", process)
    large = photos.encode(photos.astronaut().repeat(3, 0).repeat(3, 1), "PNG")

    found = sources.proved(large, Limits())
    with pytest.raises(ImageUnreadable, match="cut short"):
        sources.proved(large[: len(large) // 2], Limits())

    assert (found.width, found.height) == (1536, 1536)


def test_more_than_can_wait_is_refused_until_some_of_it_is_done(
    process: PixelProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_submit", lambda *_, **__: Future())
    under_way = [process.submit(os.getpid) for _ in range(3)]

    with pytest.raises(ServerBusy):
        process.submit(os.getpid)
    under_way[0].set_result(1)

    process.submit(os.getpid)


def test_a_team_has_its_share_and_no_more() -> None:
    shares = TeamShares(1)
    give_back = shares.take("studio")

    with pytest.raises(RateLimited):
        shares.take("studio")
    shares.take("print shop")
    give_back()
    give_back()

    shares.take("studio")
    with pytest.raises(RateLimited):
        shares.take("studio")
