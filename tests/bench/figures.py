"""Figures of the benchmark, and their tables as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    key: its name in JSON and in comparisons. what: its description. value: None if it could not be measured; `note`
    then gives the reason. target: a limit in the same unit, None if there is none. at_most: whether the target is an
    upper limit, else a lower one. rival: the same figure of another program, measured in the same run.
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
        """Whether the target is met; None without a target or a value."""
        if self.target is None or self.value is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def missed_by(self) -> float | None:
        """The factor, above 1, by which the target is missed; None if it is met or cannot be compared."""
        if self.is_met is not False or not self.value or not self.target:
            return None
        return self.value / self.target if self.at_most else self.target / self.value

    @property
    def ratio(self) -> float | None:
        """The factor by which the figure is better than `rival`, the other program's; None without such a figure."""
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
    """The figures that one part of the benchmark measured, which can be run alone with `command`."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    command: str
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the benchmark. machine: the processor, the time and the version of the code."""

    machine: dict[str, Any]
    sections: tuple[Section, ...] = field(default=())

    def figures(self) -> list[Figure]:
        return [figure for section in self.sections for figure in section.figures]


def number(value: float | None, unit: str = "") -> str:
    """Return a value as text with its unit, rounded to about 3 significant digits; a dash for None."""
    if value is None:
        return "–"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{text} {unit}".rstrip()


def rows(section: Section) -> list[tuple[str, ...]]:
    """Return the section's rows for the table, each with figure, measured value, target, verdict, rival and ratio."""
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
    """Return the run in a file that `save` has written."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    sections = tuple(
        Section(**(section | {"figures": tuple(Figure(**figure) for figure in section["figures"])}))
        for section in stored["sections"]
    )
    return Run(stored["machine"], sections)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile of the values by the nearest-rank method. percent: 0..100."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(percent) // 100) - 1))]
