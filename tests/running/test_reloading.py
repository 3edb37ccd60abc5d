"""Tests that `make dev` restarts only the programs that use a changed file."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.running.reloading import WEB_SERVER, WORKERS, programs_to_restart, watch
from tests.stack import wait_for


@pytest.mark.parametrize(
    ("changed", "programs"),
    [
        (["jobs/web/studio.py", "templates/base.html"], [WEB_SERVER]),
        (["jobs/web/studio.py", "jobs/work/tasks.py"], [WEB_SERVER, WORKERS]),
        (["segmentation/refine.py"], [WEB_SERVER, WORKERS]),
        (["jobs/web/__pycache__/studio.cpython-311.pyc"], []),
    ],
)
def test_only_the_programs_that_run_a_changed_file_restart(changed: list[str], programs: list[str]) -> None:
    assert programs_to_restart([Path(path) for path in changed]) == programs


def test_a_file_that_is_saved_restarts_its_program(tmp_path: Path) -> None:
    for name in ("jobs", "mattingsite", "segmentation", "webserver", "templates", "locale"):
        (tmp_path / name).mkdir()
    page = tmp_path / "templates" / "page.html"
    restarted: list[str] = []
    watch(tmp_path, on_change=restarted.append)

    def saved() -> bool:
        page.write_text(page.read_text() + "." if page.exists() else ".")
        return bool(restarted)

    wait_for(saved, timeout_s=20, what="no program was restarted")

    assert set(restarted) == {WEB_SERVER}
