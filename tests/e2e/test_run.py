"""Tests that one command starts the site in an empty folder, and later stops all processes that it started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.stack import ROOT, Stack, start_stack, wait_for

pytestmark = pytest.mark.e2e

PATIENCE_S = 300


def test_a_site_starts_on_an_empty_folder_ends_without_a_trace_and_starts_again_from_another_folder(
    tmp_path: Path,
) -> None:
    first = start_stack(tmp_path / "var")
    _wait_until_it_answers(first)
    family = first.processes()

    assert first.secret.startswith("kl_")
    refused = subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT,
        env=first.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert re.fullmatch(r"CommandError: Keyline cannot start: the data folder .* is in use .*\n", refused.stderr)

    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    wait_for(lambda: _alive(family) == [], timeout_s=PATIENCE_S, what=lambda: f"left behind: {_alive(family)}")

    second = start_stack(tmp_path / "var", working_folder=tmp_path)
    _wait_until_it_answers(second)
    family = second.processes()
    assert second.api(first.secret).get("/api/jobs/").status_code == 200
    assert second.stop(signal.SIGINT) == 0
    assert _alive(family) == []
    assert "key secret" not in "".join(second.output)


def _wait_until_it_answers(stack: Stack) -> None:
    def answers() -> bool:
        assert stack.process.poll() is None, "the site ended:\n" + "".join(stack.output)
        try:
            return requests.get(f"{stack.base_url}/health/live", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    wait_for(answers, timeout_s=PATIENCE_S, what=lambda: "the site does not answer:\n" + "".join(stack.output))


def _alive(pids: list[int]) -> list[int]:
    """Return the ids of the processes that still run. Zombies do not count as running."""
    alive = []
    for pid in pids:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            continue
        if state != "Z":
            alive.append(pid)
    return alive
