"""Stage 3, job: names of the second are given once, even after Redis has forgotten the last one."""

from __future__ import annotations

from jobs.api.names import names_of_seconds, random_number, second_unique_name
from jobs.work import queue


def test_two_names_of_one_second_differ():
    given: set[str] = set()

    for _ in range(5):
        given.add(second_unique_name("outputs_{}", is_taken=lambda name: False))

    assert len(given) == 5
    assert all(len(name) == len("outputs_") + 14 for name in given)


def test_a_name_that_the_database_holds_is_passed_over():
    first = second_unique_name("batch_{}", separator="_", is_taken=lambda name: False)
    queue.connection().flushall()

    again = second_unique_name("batch_{}", separator="_", is_taken=lambda name: name == first)

    assert again != first


def test_names_in_a_row_cross_midnight():
    assert names_of_seconds("{}", first="20240630235959", count=2) == ["20240630235959", "20240701000000"]


def test_random_numbers_keep_their_length():
    assert {len(random_number(15)) for _ in range(50)} == {15}
