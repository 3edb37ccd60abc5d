"""Tests that the supervisor restarts programs, stops them in the right order and leaves no process running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.running.supervision import Program, Supervisor
from tests.stack import ROOT, wait_for

# Each program appends its process id to a file, so that the tests can count the starts.
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
import os, signal, sys
from jobs.running.supervision import Program, Supervisor

def run():
    open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
    if sys.argv[3] == "killing fork":
        os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()

command = [sys.executable, "-c", sys.argv[2], sys.argv[1]]
supervisor = Supervisor(report=print)
supervisor.start(Program("it", command, grace_s=5, run=None if sys.argv[3] == "command" else run))
supervisor.run(until=lambda: False)
"""


def test_a_program_that_ends_is_started_again(tmp_path: Path) -> None:
    log, told = tmp_path / "pids", []
    supervisor = Supervisor(report=told.append)
    supervisor.start(_program(ENDS, log))

    supervisor.run(until=lambda: len(_pids(log)) >= 3)
    supervisor.stop()

    assert len(set(_pids(log))) >= 3
    assert told[0].startswith("it ended (exit code 0)")


def test_a_killed_program_is_started_again_and_the_report_names_the_signal(tmp_path: Path) -> None:
    log, told = tmp_path / "pids", []
    supervisor = Supervisor(report=told.append)
    supervisor.start(_program(SLEEPS, log))
    supervisor.run(until=lambda: len(_pids(log)) == 1)

    os.kill(_pids(log)[0], signal.SIGKILL)
    supervisor.run(until=lambda: len(_pids(log)) == 2)
    supervisor.stop()

    assert "SIGKILL" in told[0]
    assert not any(_is_alive(pid) for pid in _pids(log))


def test_a_program_that_ignores_the_request_to_end_is_killed_with_its_children(tmp_path: Path) -> None:
    log, told = tmp_path / "pids", []
    supervisor = Supervisor(report=told.append)
    supervisor.start(_program(WITH_CHILD, log, grace_s=0.2))
    supervisor.run(until=lambda: len(_pids(log)) == 2)

    supervisor.stop()

    assert told == ["it does not end by itself and is killed"]
    wait_for(lambda: not any(_is_alive(pid) for pid in _pids(log)), timeout_s=10, what="a child outlived its program")


def test_a_second_request_to_stop_skips_the_grace_period(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    supervisor = Supervisor(report=lambda line: None)
    supervisor.start(_program(STUBBORN, log, grace_s=3600))
    supervisor.run(until=lambda: len(_pids(log)) == 1)

    supervisor.stop(hurry=lambda: True)

    assert not _is_alive(_pids(log)[0])


def test_programs_are_stopped_by_rank_and_their_ends_reported(tmp_path: Path) -> None:
    ended: list[tuple[str, int]] = []
    supervisor = Supervisor(report=lambda line: None, ended=lambda program, pid, _: ended.append((program.name, pid)))
    for name, rank in (("queue", 2), ("web", 0), ("workers", 1)):
        supervisor.start(_program(STUBBORN, tmp_path / name, name=name, grace_s=0.1, stop_rank=rank))
    supervisor.run(until=lambda: all(_pids(tmp_path / name) for name in ("queue", "web", "workers")))

    supervisor.stop()

    assert ended == [(name, _pids(tmp_path / name)[0]) for name in ("web", "workers", "queue")]


def test_programs_of_one_rank_share_the_grace_period(tmp_path: Path) -> None:
    supervisor = Supervisor(report=lambda line: None)
    for name in ("stubborn", "willing"):
        supervisor.start(_program(STUBBORN if name == "stubborn" else SLEEPS, tmp_path / name, name=name, grace_s=3600))
    supervisor.run(until=lambda: all(_pids(tmp_path / name) for name in ("stubborn", "willing")))
    willing = _pids(tmp_path / "willing")[0]

    # The first program never ends by itself: the stop continues only because the second signal arrived.
    supervisor.stop(hurry=lambda: not _is_alive(willing))

    assert not _is_alive(_pids(tmp_path / "stubborn")[0])


def test_a_failing_report_of_an_end_does_not_stop_the_supervision(tmp_path: Path) -> None:
    log = tmp_path / "pids"

    def fail(program: Program, pid: int, was_killed: bool) -> None:
        raise ConnectionError("the queue is away")

    supervisor = Supervisor(report=lambda line: None, ended=fail)
    supervisor.start(_program(ENDS, log))

    supervisor.run(until=lambda: len(_pids(log)) >= 2)
    supervisor.stop()

    assert len(_pids(log)) >= 2


def test_an_end_says_whether_another_process_killed_the_program(tmp_path: Path) -> None:
    ends: list[bool] = []
    for kills in (False, True):
        log = tmp_path / f"pids-{kills}"
        supervisor = Supervisor(
            report=lambda line: None, ended=lambda program, pid, was_killed: ends.append(was_killed)
        )
        supervisor.start(_program(SLEEPS if kills else ENDS, log))
        supervisor.run(until=lambda log=log: bool(_pids(log)))
        if kills:
            os.kill(_pids(log)[0], signal.SIGKILL)
        supervisor.run(until=lambda kills=kills: len(ends) > kills)
        supervisor.stop()

    assert ends[0] is False
    assert True in ends


@pytest.mark.slow
def test_a_program_that_is_killed_is_started_again_soon_however_often(tmp_path: Path) -> None:
    log, lines = tmp_path / "pids", []
    supervisor = Supervisor(report=lines.append)
    supervisor.start(_program(SLEEPS, log))
    for number in range(1, 5):
        supervisor.run(until=lambda number=number: len(_pids(log)) == number)
        os.kill(_pids(log)[-1], signal.SIGKILL)
    supervisor.run(until=lambda: len(_pids(log)) == 5)
    supervisor.stop()

    assert [line.rsplit(" ", 2)[1] for line in lines] == ["0.2", "0.4", "0.8", "0.8"]


@pytest.mark.parametrize("way", ["command", "fork"])
def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path, way: str) -> None:
    log = tmp_path / "pids"
    with _supervisor(log, way) as supervisor:
        wait_for(lambda: len(_pids(log)) == 1, timeout_s=30, what="the program was not started")

        supervisor.kill()
        supervisor.wait()

        wait_for(lambda: not _is_alive(_pids(log)[0]), timeout_s=30, what="the program outlived its supervisor")


def test_a_fork_does_not_outlive_a_supervisor_that_is_killed_during_its_start(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    with _supervisor(log, "killing fork") as supervisor:
        supervisor.wait()

        wait_for(lambda: not _is_alive(_pids(log)[0]), timeout_s=30, what="the program outlived its supervisor")


def test_a_fork_that_ends_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    with _supervisor(log, "fork"):
        wait_for(lambda: len(_pids(log)) == 1, timeout_s=30, what="the program was not started")

        os.kill(_pids(log)[0], signal.SIGKILL)

        wait_for(lambda: len(_pids(log)) == 2, timeout_s=30, what="the program was not started again")


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
    supervisor.stop()

    assert not any(_is_alive(pid) for pid in _pids(log) + _pids(other))


@contextlib.contextmanager
def _supervisor(log: Path, way: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with a supervisor in a separate process, yield the process, and kill it at the end.

    log: the file to which the supervised programs write.
    way: how the supervisor starts them: `command`, `fork`, or `killing fork`, a fork that kills the supervisor at once.
    """
    with subprocess.Popen([sys.executable, "-c", SUPERVISES, str(log), SLEEPS, way], cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def _program(code: str, log: Path, *, name: str = "it", grace_s: float = 10, stop_rank: int = 0) -> Program:
    return Program(name, [sys.executable, "-c", code, str(log)], grace_s=grace_s, stop_rank=stop_rank)


def _pids(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def _is_alive(pid: int) -> bool:
    """Return whether a process runs. A zombie does not count as running."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
