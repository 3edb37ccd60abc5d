"""Tests of the comparison of the qualities fast, fine and auto: the results are computed from given measurements."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from pytest_django import Settings

from jobs.inference.comparison import (
    SHIPPED_ABOVE,
    SHIPPED_SHARE,
    Comparison,
    Measured,
    best_possible,
    error_held_by_most_uncertain,
    error_of,
    gain_found,
    outcomes,
    recommended,
    replayed,
)

# Ten photos. The two most uncertain ones cause most of the fast model's error.
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


def test_the_cheapest_level_that_is_near_enough_is_recommended() -> None:
    chosen = recommended(MEASURED)

    assert chosen is not None
    assert (chosen.escalated_share, chosen.above) == (0.2, pytest.approx(0.85))
    assert chosen.error <= 1.1 * 0.01
    assert recommended([replace(one, fine_s=1.0) for one in MEASURED]) is None  # otherwise fine is the better choice


def test_a_perfect_measure_would_find_the_worst_photos() -> None:
    hidden = [replace(one, uncertainty=-one.uncertainty) for one in MEASURED]

    assert error_held_by_most_uncertain(hidden) == pytest.approx(0.02 / 0.88)
    assert best_possible(hidden) == pytest.approx(0.8 / 0.88)
    assert gain_found(hidden, share=0.2) == pytest.approx(0)
    assert gain_found(MEASURED, share=0.2) == pytest.approx(1)


def test_the_shipped_policy_is_replayed_in_many_orders() -> None:
    measured = [replace(one, uncertainty=0.9 if one.fast_error > 0.1 else 0.1) for one in MEASURED]

    found = replayed(measured)

    assert (found.escalated_share, found.error) == (pytest.approx(0.2), pytest.approx(0.01))
    assert found.mean_s == pytest.approx(2.8)
    assert replayed(measured, max_share=0).escalated_share == 0


def test_the_shipped_policy_has_the_defaults_of_the_settings(settings: Settings) -> None:
    assert (settings.MATTING_AUTO_ABOVE, settings.MATTING_AUTO_SHARE) == (SHIPPED_ABOVE, SHIPPED_SHARE)


def test_ignored_pixels_do_not_count() -> None:
    mask = np.zeros((4, 4), np.float32)
    mask[:2] = np.nan

    assert error_of(np.full((4, 4), 0.25, np.float32), mask) == pytest.approx(0.25)


def test_what_was_recorded_is_shown_again_without_a_model(tmp_path: Path) -> None:
    named = tuple(replace(one, name=f"{'ab'[number % 2]}/{number}") for number, one in enumerate(MEASURED))
    recorded = tmp_path / "measured.json"
    recorded.write_text(json.dumps(Comparison("small 1", "large 2", named).to_json()))
    printed = io.StringIO()

    call_command("compare_quality", "--from", str(recorded), stdout=printed)

    text = printed.getvalue()
    assert [line for line in text.splitlines() if line.startswith(("All", "Set"))] == ["All photos", "Set a", "Set b"]
    assert "10 photos, fast small 1, fine large 2." in text
    assert "| `auto` as shipped | 0.200 |" in text
    assert "The 20 % most uncertain photos hold 91% of the fast model's error" in text
