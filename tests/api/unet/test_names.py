"""Tests of result names that contain the current second: each name is unique, even if Redis has lost its counter."""

from __future__ import annotations

import datetime as dt

import pytest

from jobs.api.unet.names import numbered_names, original_names, second_unique_name
from jobs.work import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = dt.datetime(2024, 6, 5, 12, tzinfo=dt.UTC)
    monkeypatch.setattr("jobs.api.unet.names.timezone.localtime", lambda: moment)


@pytest.mark.usefixtures("noon")
def test_names_of_one_second_are_numbered_and_do_not_run_ahead_of_the_clock() -> None:
    names = [second_unique_name("outputs_{}") for _ in range(3)]

    assert names == ["outputs_20240605120000", "outputs_20240605120000-2", "outputs_20240605120000-3"]


@pytest.mark.usefixtures("noon")
def test_a_name_that_the_database_holds_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first = second_unique_name("batch_{}", separator="_")
    queue.connection().flushall()
    monkeypatch.setattr("jobs.api.unet.names.external_id_is_taken", lambda dialect, name: name == first)

    again = second_unique_name("batch_{}", separator="_")

    assert (first, again) == ("batch_20240605_120000", "batch_20240605_120000-2")


def test_results_can_keep_the_names_of_their_pictures() -> None:
    assert original_names(["cat.jpg", "cat.png", "dog.tar.gz"]) == ["cat", "cat (2)", "dog.tar"]
    assert numbered_names("outputs_1", 3) == ["outputs_1", "outputs_1-2", "outputs_1-3"]
