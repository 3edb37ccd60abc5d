"""Measurement of the response times of the site's pages, with 10⁵ jobs on SQLite and 10⁶ jobs on PostgreSQL.

The pages are the gallery, the admin's job list and the admin's dashboard. `seed_jobs` writes sample jobs, and the
database copies these jobs with different ids and times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.bench.sizes import Sizes
from tests.postgres import running_postgres
from tests.stack import ROOT

TARGET_MS = 100


def sqlite(sizes: Sizes) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="keyline-bench-") as folder:
        return _figures("sqlite", "SQLite", sizes.sqlite_jobs, sizes.seeded, {"MATTING_DATA_DIR": folder})


def postgres(sizes: Sizes) -> list[Figure]:
    with running_postgres() as database, tempfile.TemporaryDirectory(prefix="keyline-bench-") as folder:
        changes = {"MATTING_DATA_DIR": folder, "DATABASE_URL": database}
        return _figures("postgres", "PostgreSQL", sizes.postgres_jobs, sizes.seeded, changes)


def _figures(key: str, name: str, jobs: int, seeded: int, changes: dict[str, str]) -> list[Figure]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "mattingsite.settings"} | changes
    command = [sys.executable, "-m", "tests.bench.page_times", str(jobs), str(seeded)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-800:])
    pages: list[dict[str, Any]] = json.loads(Path(done.stdout.strip().splitlines()[-1]).read_text())
    return [
        Figure(
            f"pages.{key}.{page['name']}",
            f"{page['name'].replace('_', ' ')}, {jobs:,} jobs on {name}".replace(",000", " 000"),
            page["ms"],
            "ms",
            TARGET_MS,
            note=f"{page['queries']} queries, slowest {page['slowest_ms']:.0f} ms",
        )
        for page in pages
    ]
