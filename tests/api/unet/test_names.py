"""Names of seconds are given once, even after Redis has lost the last one."""

from __future__ import annotations

import pytest

from jobs.api.unet.names import names_of_seconds, second_unique_name
from jobs.work import queue

pytestmark = pytest.mark.django_db


def test_two_names_of_one_second_differ():
    given: set[str] = set()

    for _ in range(5):
        given.add(second_unique_name("outputs_{}"))

    assert len(given) == 5
    assert all(len(name) == len("outputs_") + 14 for name in given)


def test_a_name_that_the_database_holds_is_passed_over(monkeypatch: pytest.MonkeyPatch):
    first = second_unique_name("batch_{}", separator="_")
    queue.connection().flushall()
    monkeypatch.setattr("jobs.api.unet.names.external_id_is_taken", lambda dialect, name: name == first)

    again = second_unique_name("batch_{}", separator="_")

    assert again != first


def test_names_in_a_row_cross_midnight():
    assert names_of_seconds("{}", first="20240630235959", count=2) == ["20240630235959", "20240701000000"]
