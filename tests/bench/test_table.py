"""Tests of the benchmark's table, the comparison of two runs, and the page generated from a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import capacity, figures, page, sizing
from tests.bench.__main__ import NAMES
from tests.bench.compare import compared
from tests.bench.figures import Figure, Run, Section

ABOUT = {"commit": "abc", "date": "2026-01-02T03:04:05", "processor": "P", "cpus": 2}


def run(*measured: Figure) -> Run:
    return Run(ABOUT, (Section("single", "One photo", measured, "python -m tests.bench --only single"),))


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("a", "time", 100, "ms", 150), "met"),
        (Figure("a", "time", 300, "ms", 150), "missed, 2.00×"),
        (Figure("a", "rate", 45, "%", 90, at_most=False), "missed, 2.00×"),
        (Figure("a", "rate", 95, "%", 90, at_most=False), "met"),
        (Figure("a", "time", 100, "ms"), ""),
        (Figure("a", "time", None, "ms", 150), "not measured"),
    ],
)
def test_a_figure_says_by_how_much_it_misses_its_target(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_the_ratio_to_a_rival_is_above_one_when_the_figure_is_better() -> None:
    assert Figure("a", "time", 100, "ms", rival=250).ratio == 2.5
    assert Figure("a", "rate", 100, "/s", at_most=False, rival=50).ratio == 2


def test_the_table_has_a_row_for_every_figure_and_survives_its_json(tmp_path: Path) -> None:
    measured = run(Figure("a", "time", 100, "ms", 150, rival=250, note="n"), Figure("b", "rate", None, note="broke"))

    figures.save(measured, tmp_path / "run.json")
    again = figures.load(tmp_path / "run.json")

    assert again == measured
    assert figures.markdown(again.sections).splitlines()[2:] == [
        "| **One photo** | | | | | |",
        "| time (n) | 100 ms | ≤ 150 ms | met | 250 ms | 2.5× |",
        "| rate (broke) | – |  | not measured |  |  |",
    ]


def test_two_runs_are_shown_side_by_side() -> None:
    first, second = run(Figure("a", "time", 100, "ms")), run(Figure("a", "time", 50, "ms"), Figure("b", "new", 1.0))

    lines = compared(first, second).splitlines()

    assert lines[2:] == ["| time | 100 ms | 50.0 ms | 2.00× |", "| new |  | 1.00 |  |"]


def test_a_month_is_calculated_from_measured_figures_only() -> None:
    keys = ("batch.rate", "hosts.commits", "hosts.rows", "hosts.row_bytes", "hosts.file_bytes", "hosts.cutout_bytes")
    measured = run(*(Figure(key, key, 10.0) for key in keys))

    needs = {need.what: need.value for need in capacity.needs(measured, 1e8)}

    assert needs["pictures a second, mean and peak"] == "39 and 116"
    assert needs["worker hosts of 2 processors at the peak"] == "17"  # 116 / (10 x 0.7)
    assert needs["storage at 30 days' retention"] == "1 TB"
    assert capacity.needs(run(Figure("batch.rate", "rate", 10.0)), 1e8) == []


def test_the_page_is_the_one_that_is_generated() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.rendered()


def test_the_page_names_no_section_that_does_not_exist() -> None:
    words = page.TEMPLATE.read_text(encoding="utf-8").split()
    named = [words[place + 1] for place, word in enumerate(words) if word == "--only"]

    assert named
    assert set(named) <= set(NAMES)


def test_the_kept_qualities_are_two_hundred_photos() -> None:
    assert len(json.loads(page.QUALITIES.read_text(encoding="utf-8"))["photos"]) == 200


def test_the_tables_of_sizing_are_those_of_the_last_measurement() -> None:
    page_text = sizing.PAGE.read_text()

    assert sizing.written(page_text, sizing.last()) == page_text
    assert sizing.written(page_text, "other tables") != page_text
