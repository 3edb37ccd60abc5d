"""Tests of escalation: an uncertain picture is processed again with the fine model.

The share of pictures that are processed again is limited, and so is the time of the fine model.
"""

from __future__ import annotations

import random

from jobs.inference.escalation import PROBE_AFTER, Escalation


def test_a_certain_picture_does_not_escalate() -> None:
    assert Escalation(above=0.2, max_share=1, max_s=10).decide(0.1) == "certain"


def test_an_uncertain_picture_escalates() -> None:
    assert Escalation(above=0.2, max_share=0.3, max_s=10).decide(0.5) == "uncertain"


def test_at_most_the_share_escalates_and_it_is_the_most_uncertain_pictures() -> None:
    escalation = Escalation(above=0.0, max_share=0.25, max_s=10)
    chance = random.Random(1)
    values = [chance.random() for _ in range(400)]

    chosen = [value for value in values if escalation.decide(value) == "uncertain"]

    assert 0.15 * len(values) < len(chosen) <= 0.25 * len(values) + 10  # the first ten pictures have no known share
    assert sum(chosen) / len(chosen) > 0.8


def test_a_fine_model_that_is_too_slow_is_not_used() -> None:
    escalation = Escalation(above=0.0, max_share=1, max_s=2)
    escalation.took(5.0)

    assert escalation.decide(0.9) == "time"


def test_a_model_that_was_too_slow_is_tried_again_and_used_again() -> None:
    escalation = Escalation(above=0.0, max_share=1, max_s=2)
    escalation.took(5.0)

    refused = refusals(escalation)
    escalation.took(1.0)

    assert refused == PROBE_AFTER
    assert escalation.decide(0.9) == "uncertain"


def test_a_model_that_stays_slow_is_tried_less_and_less_often() -> None:
    escalation = Escalation(above=0.0, max_share=1, max_s=2)
    counts = []
    for _ in range(7):
        escalation.took(5.0)
        counts.append(refusals(escalation))

    assert counts == [20, 40, 80, 160, 320, 320, 320]


def test_one_slow_picture_among_fast_ones_changes_nothing() -> None:
    escalation = Escalation(above=0.0, max_share=1, max_s=2)
    for seconds in (1.0, 1.0, 5.0):
        escalation.took(seconds)

    assert escalation.decide(0.9) == "uncertain"


def refusals(escalation: Escalation) -> int:
    """Return how many uncertain pictures in a row `escalation` refuses because the fine model is too slow."""
    count = 0
    while escalation.decide(0.9) == "time":
        count += 1
        assert count < 1000
    return count


def test_a_share_of_nothing_escalates_nothing() -> None:
    assert Escalation(above=0.0, max_share=0, max_s=2).decide(1.0) == "share"
