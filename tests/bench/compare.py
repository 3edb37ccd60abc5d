"""The command `make bench-compare A=FILE B=FILE`: it shows two runs of the benchmark side by side."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.figures import Run, load, number


def compared(first: Run, second: Run) -> str:
    """Return a Markdown table that compares the measured values of two runs of the benchmark.

    Each row has the factor by which the second run is better, if both runs have a value.
    """
    before = {figure.key: figure for figure in first.figures()}
    after = {figure.key: figure for figure in second.figures()}
    heads = [f"{run.machine.get('commit', '?')} ({run.machine.get('date', '?')[:16]})" for run in (first, second)]
    lines = [f"| figure | {heads[0]} | {heads[1]} | better |", "|---|--:|--:|--:|"]
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = before.get(key), after.get(key)
        shown = other or one
        assert shown is not None
        ratio = ""
        if one and other and one.value and other.value:
            better = one.value / other.value if other.at_most else other.value / one.value
            ratio = f"{better:.2f}×"
        values = [number(figure.value, figure.unit) if figure else "" for figure in (one, other)]
        lines.append(f"| {shown.what} | {values[0]} | {values[1]} | {ratio} |")
    machines = [run.machine.get("processor", "?") for run in (first, second)]
    if machines[0] != machines[1]:
        lines.append(f"\nDifferent machines: {machines[0]} and {machines[1]}.")
    return "\n".join(lines)


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python -m tests.bench.compare FIRST.json SECOND.json")
        return 2
    print(compared(*(load(Path(name)) for name in sys.argv[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
