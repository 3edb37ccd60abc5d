"""Start-up: processes are kept running, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from jobs.running.supervision import Program, Supervisor
from tests.stack import ROOT, wait_for

# Each program appends its process id to a file, so that the tests see how often it was started.
SLEEPS = "import os, signal, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); signal.pause()"
ENDS = "import os, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')"
STUBBORN = (
    "import os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')\nwhile True: signal.pause()"
)
WITH_CHILD = (
    "import os, signal, sys\nos.fork()\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')\nwhile True: signal.pause()"
)
SUPERVISES = """
import sys
from jobs.running.supervision import Program, Supervisor
supervisor = Supervisor(report=print)
supervisor.start(Program("it", [sys.executable, "-c", sys.argv[2], sys.argv[1]], grace_s=5))
supervisor.run(until=lambda: False)
"""


def test_a_program_that_ends_is_started_again(tmp_path: Path) -> None:
    log, told = tmp_path / "pids", []
    supervisor = Supervisor(report=told.append)
    supervisor.start(_program(ENDS, log))

    supervisor.run(until=lambda: len(_pids(log)) >= 3)
    supervisor.stop(order=["it"])

    assert len(set(_pids(log))) >= 3
    assert told[0].startswith("it ended (exit code 0)")


def test_a_killed_program_is_started_again_and_the_report_names_the_signal(tmp_path: Path) -> None:
    log, told = tmp_path / "pids", []
    supervisor = Supervisor(report=told.append)
    supervisor.start(_program(SLEEPS, log))
    supervisor.run(until=lambda: len(_pids(log)) == 1)

    os.kill(_pids(log)[0], signal.SIGKILL)
    supervisor.run(until=lambda: len(_pids(log)) == 2)
    supervisor.stop(order=["it"])

    assert "SIGKILL" in told[0]
    assert not any(_is_alive(pid) for pid in _pids(log))


def test_a_program_that_ignores_the_request_to_end_is_killed_with_its_children(tmp_path: Path) -> None:
    log, told = tmp_path / "pids", []
    supervisor = Supervisor(report=told.append)
    supervisor.start(_program(WITH_CHILD, log, grace_s=0.2))
    supervisor.run(until=lambda: len(_pids(log)) == 2)

    supervisor.stop(order=["it"])

    assert told == ["it does not end by itself and is killed"]
    wait_for(lambda: not any(_is_alive(pid) for pid in _pids(log)), timeout_s=10, what="a child outlived its program")


def test_a_second_request_to_stop_skips_the_grace_period(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    supervisor = Supervisor(report=lambda line: None)
    supervisor.start(_program(STUBBORN, log, grace_s=3600))
    supervisor.run(until=lambda: len(_pids(log)) == 1)

    supervisor.stop(order=["it"], hurry=lambda: True)

    assert not _is_alive(_pids(log)[0])


def test_programs_end_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    ends_last, told = tmp_path / "first", []
    supervisor = Supervisor(report=told.append)
    for name in ("first", "second"):
        supervisor.start(_program(STUBBORN, tmp_path / name, name=name, grace_s=0.1))
    supervisor.run(until=lambda: bool(_pids(ends_last)) and bool(_pids(tmp_path / "second")))

    supervisor.stop(order=["second", "first"])

    assert [line.split()[0] for line in told] == ["second", "first"]


def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISES, str(log), SLEEPS], cwd=ROOT)
    wait_for(lambda: len(_pids(log)) == 1, timeout_s=30, what="the program was not started")

    supervisor.kill()
    supervisor.wait()

    wait_for(lambda: not _is_alive(_pids(log)[0]), timeout_s=30, what="the program outlived its supervisor")


def test_the_lifeline_may_be_killed_too(tmp_path: Path) -> None:
    log, other = tmp_path / "pids", tmp_path / "other"
    supervisor = Supervisor(report=lambda line: None)
    supervisor.start(_program(SLEEPS, log))
    supervisor.run(until=lambda: len(_pids(log)) == 1)
    first = supervisor._lifeline

    first.kill()
    first.wait()
    supervisor.run(until=lambda: supervisor._lifeline is not first)
    supervisor.start(_program(SLEEPS, other))
    supervisor.run(until=lambda: len(_pids(other)) == 1)
    supervisor.stop(order=["it"])

    assert not any(_is_alive(pid) for pid in _pids(log) + _pids(other))


def _program(code: str, log: Path, *, name: str = "it", grace_s: float = 10) -> Program:
    return Program(name, [sys.executable, "-c", code, str(log)], grace_s=grace_s)


def _pids(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def _is_alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
