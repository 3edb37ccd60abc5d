"""The generator of docs/benchmarks.md. It fills the template page.md with tables.

The tables show the benchmark's last run and the measurements of the qualities fast, fine and auto. Run it with
`python -m tests.bench.page [RUN.json]`. If RUN.json is given, the program first copies it to docs/benchmarks.json.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from tests.bench import capacity
from tests.bench.figures import Run, load, markdown
from tests.stack import ROOT

TEMPLATE = Path(__file__).with_name("page.md")
PAGE = ROOT / "docs" / "benchmarks.md"
RUN = ROOT / "docs" / "benchmarks.json"
QUALITIES = ROOT / "docs" / "qualities.json"
PICTURES_A_MONTH = 1e8


def rendered() -> str:
    """Return the text of docs/benchmarks.md: the template with tables in place of its placeholders."""
    run = load(RUN) if RUN.is_file() else Run({})
    parts = {
        "machine": _machine(run),
        "table": markdown(run.sections),
        "missed": _missed(run),
        "qualities": qualities(json.loads(QUALITIES.read_text(encoding="utf-8"))),
        "capacity": capacity.markdown(run, PICTURES_A_MONTH),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], TEMPLATE.read_text(encoding="utf-8"))


def _machine(run: Run) -> str:
    about = run.machine
    if not about:
        return "Not measured yet: run `make bench` and `make bench-page`."
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return (
        f"{about['processor']}, {about['cpus']} processors, {about['memory_gb']} GB, {about['system']}, Python "
        f"{about['python']}; {packages}. Commit {about['commit']}, {about['date']}, load before the run "
        f"{about['load_before']}."
    )


def _missed(run: Run) -> str:
    """Return a Markdown list of the figures that miss their targets, with the factor by which each figure misses."""
    rows = [f"- {one.what}: {one.verdict}" for one in run.figures() if one.missed_by is not None]
    return "\n".join(rows) or "None."


def qualities(measured: dict[str, Any]) -> str:
    """Return tables that compare the qualities fast, fine and auto.

    measured: the JSON output of the command `manage.py compare_quality`.
    """
    from jobs.inference.comparison import Comparison

    parts = Comparison.from_json(measured).by_set()
    return "\n\n".join(f"**{title}.** {part.markdown()}" for title, part in parts)


def main() -> int:
    if len(sys.argv) > 1:
        shutil.copyfile(sys.argv[1], RUN)
    PAGE.write_text(rendered(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
