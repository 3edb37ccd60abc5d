"""The outcomes of the qualities, computed from measured photos."""

from __future__ import annotations

import pytest

from jobs.inference.comparison import Measured, error_held_by_most_uncertain, outcomes

# Ten photos; the two most uncertain ones hold most of the fast model's error.
MEASURED = [
    Measured(
        uncertainty=0.9 - 0.05 * number, fast_error=0.4 if number < 2 else 0.01, fine_error=0.01, fast_s=1, fine_s=9
    )
    for number in range(10)
]


def test_auto_escalates_the_most_uncertain_photos_and_names_its_level() -> None:
    fast, fine, auto = outcomes(MEASURED, shares=(0.2,))

    assert (fast.error, fast.mean_s) == (pytest.approx(0.088), 1)
    assert (fine.error, fine.mean_s) == (pytest.approx(0.01), 9)
    assert (auto.error, auto.mean_s) == (pytest.approx(0.01), pytest.approx(2.8))
    assert (auto.escalated_share, auto.above) == (0.2, pytest.approx(0.85))


def test_the_most_uncertain_photos_hold_most_of_the_error() -> None:
    assert error_held_by_most_uncertain(MEASURED) == pytest.approx(0.8 / 0.88)
