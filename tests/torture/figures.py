"""The results of the attacks: measured values (figures) with targets, written as JSON and as docs/guarantees.md."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.stack import ROOT

RECOVERY_S = 10.0
PROBE_MS = 100.0
WEB_MB = 400.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value and its target.

    promise: what the value means, in one line. at_most: the largest value that meets the target; None if there is no
    target. details: other values, as JSON types.
    """

    promise: str
    value: float
    unit: str = ""
    at_most: float | None = None
    details: dict[str, Any] | None = None

    @property
    def is_kept(self) -> bool:
        return self.at_most is None or self.value <= self.at_most

    @property
    def text(self) -> str:
        if math.isinf(self.value):
            return "no answer"
        value = f"{self.value:.0f}" if self.value == int(self.value) or self.value >= 100 else f"{self.value:.1f}"
        return f"{value} {self.unit}".strip()

    @property
    def bound(self) -> str:
        return "" if self.at_most is None else f"≤ {self.at_most:g} {self.unit}".strip()


def machine() -> dict[str, Any]:
    """Return the conditions of the measurement: commit, time, processor and memory."""
    models = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain", "-uno") else ""),
        "processors": os.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "memory_gb": round(memory_kb / 2**20),
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 1),
    }


def results_merge(path: Path, name: str, result: dict[str, Any]) -> None:
    """Write the result of one kind of attack into the JSON file at `path`, in place of an earlier result of this kind.

    name: the name of the kind. result: the return value of `result_of`.
    """
    results = json.loads(path.read_text()) if path.exists() else {}
    results[name] = result
    path.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def result_of(figures: Iterable[Figure], *, title: str, command: str, seconds: float) -> dict[str, Any]:
    """Return the result of one kind of attack as JSON types.

    title: the title of the kind. command: the command that runs it again. seconds: the duration of the run.
    """
    rows = [asdict(figure) for figure in figures]
    for row in rows:
        row["value"] = None if math.isinf(row["value"]) else row["value"]  # JSON cannot represent infinity
    return {"title": title, "command": command, "seconds": round(seconds), **machine(), "figures": rows}


def figures_of(result: dict[str, Any]) -> list[Figure]:
    return [Figure(**row | {"value": math.inf if row["value"] is None else row["value"]}) for row in result["figures"]]


def guarantees(results: dict[str, dict[str, Any]], order: Iterable[str]) -> str:
    """Return the text of docs/guarantees.md for the results. order: the names of the kinds of attacks, in order."""
    known = [name for name in order if name in results]
    lines = [
        "# Guarantees",
        "",
        "What the site promises under load, faults and attacks: each promise, its test, and the latest figure.",
        "`make torture` runs every kind against a real site and writes this page; `make torture KIND=broker` runs one.",
        "All details are in [guarantees.json](guarantees.json). A shorter form of these tests is part of `make test`.",
        "",
        "## Sums",
        "",
        *_table(_sums([figure for name in known for figure in figures_of(results[name])])),
    ]
    for name in known:
        result = results[name]
        where = f"{result['processors']} × {result['processor']}, {result['memory_gb']} GB"
        lines += [
            "",
            f"## {result['title']}",
            "",
            f"`{result['command']}`: {result['seconds']} s on {result['date']}, commit {result['commit']}, {where},"
            f" load average before {result['load_average_before']}",
            "",
            *_table(figures_of(result)),
        ]
    return "\n".join(lines) + "\n"


_SUMMED = ("lost", "charged twice", "wrong verdicts", "other answers than 200, 202, 4xx and 503")
_HIGHEST = ("slowest recovery", "slowest probe", "most memory of the web server")


def _sums(figures: list[Figure]) -> list[Figure]:
    """Return one figure for each promise about the complete site: the sum or the worst value of all attacks."""
    found = []
    for ending in _SUMMED:
        rows = [figure for figure in figures if figure.promise.endswith(ending)]
        if rows:
            found.append(Figure(f"All kinds: {ending}", sum(figure.value for figure in rows), "", 0))
    for ending in _HIGHEST:
        rows = [figure for figure in figures if figure.promise.endswith(ending)]
        if rows:
            worst = max(rows, key=lambda figure: figure.value)
            found.append(Figure(f"All kinds: {ending}", worst.value, worst.unit, worst.at_most))
    return found


def _table(figures: list[Figure]) -> list[str]:
    rows = ["| promise | target | figure | kept |", "|---|---|---|---|"]
    for figure in figures:
        kept = "" if figure.at_most is None else "yes" if figure.is_kept else "**no**"
        rows.append(f"| {figure.promise} | {figure.bound} | {figure.text} | {kept} |")
    return rows


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
