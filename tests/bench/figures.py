"""Measured values (figures) of the benchmark, and their tables as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value of the benchmark.

    key: its name in JSON and in comparisons. what: its description. value: None if the measurement failed; `note` then
    contains the reason. target: the limit for the value in the same unit, or None. at_most: True if the target is an
    upper limit, False if it is a lower limit. rival: the same value of another program, measured in the same run, or
    None.
    """

    key: str
    what: str
    value: float | None
    unit: str = ""
    target: float | None = None
    at_most: bool = True
    rival: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Return whether the value meets the target; None if the value or the target is missing."""
        if self.target is None or self.value is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def missed_by(self) -> float | None:
        """Return the factor, above 1, by which the value misses the target.

        Return None if the value meets the target, or if no factor can be calculated.
        """
        if self.is_met is not False or not self.value or not self.target:
            return None
        return self.value / self.target if self.at_most else self.target / self.value

    @property
    def ratio(self) -> float | None:
        """Return the factor by which the value is better than `rival`, the value of another program.

        Return None if one of the two values is None or 0.
        """
        if not self.rival or not self.value:
            return None
        return self.rival / self.value if self.at_most else self.value / self.rival

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if self.is_met is None:
            return ""
        if self.missed_by is None:
            return "met" if self.is_met else "missed"
        return f"missed, {self.missed_by:.2f}×"


@dataclass(frozen=True, slots=True)
class Section:
    """The figures (measured values) of one part of the benchmark. `command` runs only this part."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    command: str
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the benchmark. machine: the processor, the time of the run and the version of the code."""

    machine: dict[str, Any]
    sections: tuple[Section, ...] = field(default=())

    def figures(self) -> list[Figure]:
        return [figure for section in self.sections for figure in section.figures]


def number(value: float | None, unit: str = "") -> str:
    """Return a value with its unit as text, rounded to about 3 significant digits.

    Return a dash if the value is None.
    """
    if value is None:
        return "–"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{text} {unit}".rstrip()


def rows(section: Section) -> list[tuple[str, ...]]:
    """Return the section's rows of the table: description, measured value, target, verdict, rival value and ratio."""
    found = []
    for figure in section.figures:
        sign = "≤" if figure.at_most else "≥"
        target = f"{sign} {number(figure.target, figure.unit)}" if figure.target is not None else ""
        rival = number(figure.rival, figure.unit) if figure.rival is not None else ""
        ratio = f"{figure.ratio:.1f}×" if figure.ratio else ""
        what = f"{figure.what} ({figure.note})" if figure.note else figure.what
        found.append((what, number(figure.value, figure.unit), target, figure.verdict, rival, ratio))
    return found


HEADINGS = ("figure", "measured", "target", "", "rival", "ratio")


def markdown(sections: Iterable[Section]) -> str:
    """Return the table of all sections as Markdown."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|--:|--:|---|--:|--:|"]
    for section in sections:
        lines.append(f"| **{section.title}** | | | | | |")
        lines += [f"| {' | '.join(row)} |" for row in rows(section)]
    return "\n".join(lines)


def save(run: Run, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(run), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> Run:
    """Read a run of the benchmark from a file that `save` has written."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    sections = tuple(
        Section(**(section | {"figures": tuple(Figure(**figure) for figure in section["figures"])}))
        for section in stored["sections"]
    )
    return Run(stored["machine"], sections)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile of the values, calculated by the nearest-rank method. percent: 0..100."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(percent) // 100) - 1))]
