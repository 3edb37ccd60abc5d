"""Tests that the parent detects a worker process that hangs or is stopped."""

from __future__ import annotations

import os
import subprocess
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import Settings

from jobs.running.pulse import HUNG_AFTER_S, IDLE_AND_HUNG_AFTER_S, Pulses, processor_ticks, pulse
from jobs.running.supervision import Program, Supervisor
from tests.stack import wait_for

PID = 4711


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def test_a_process_hangs_when_its_pulse_stops_and_not_before_it_begins() -> None:
    now_s = [1000.0]
    worked = count()
    pulses = Pulses(clock=lambda: now_s[0], ticks_of=lambda pid: next(worked))
    assert not pulses.is_hung(PID)  # it is loading its model

    pulse(PID)
    assert not pulses.is_hung(PID)
    now_s[0] += HUNG_AFTER_S
    assert not pulses.is_hung(PID)
    now_s[0] += 1
    assert pulses.is_hung(PID)

    pulse_again(PID)
    assert not pulses.is_hung(PID)


def test_a_process_that_neither_pulses_nor_works_hangs_sooner() -> None:
    now_s, ticks = [1000.0], [7]
    pulses = Pulses(clock=lambda: now_s[0], ticks_of=lambda pid: ticks[0])
    pulse(PID)
    assert not pulses.is_hung(PID)
    now_s[0] += IDLE_AND_HUNG_AFTER_S
    ticks[0] += 1
    assert not pulses.is_hung(PID)
    now_s[0] += IDLE_AND_HUNG_AFTER_S
    assert not pulses.is_hung(PID)  # it has used processor time since the last check

    now_s[0] += 1

    assert pulses.is_hung(PID)


def test_the_time_that_a_process_has_worked_is_read_from_the_system() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as waiting:
        waiting.stdin.write(b"line\n")
        waiting.stdin.flush()
        waiting.stdout.readline()
        wait_for(lambda: processor_ticks(waiting.pid) is not None, timeout_s=60, what="cat does not wait for input")

        assert processor_ticks(waiting.pid) >= 0
        waiting.stdin.close()
    assert processor_ticks(2**22 + 1) is None


def test_a_process_that_is_ready_to_run_is_not_idle() -> None:
    assert processor_ticks(os.getpid()) is None  # this test runs


def test_a_new_process_with_the_same_id_starts_afresh() -> None:
    now_s = [1000.0]
    pulses = Pulses(clock=lambda: now_s[0])
    pulse(PID)
    pulses.is_hung(PID)
    pulses.forget(PID)
    now_s[0] += 10 * HUNG_AFTER_S

    assert not pulses.is_hung(PID)


def test_the_supervisor_kills_a_program_that_hangs_and_starts_another() -> None:
    pids: list[int] = []

    def hung(program: Program, pid: int) -> bool:
        if pid not in pids:
            pids.append(pid)
        return len(pids) == 1

    lines: list[str] = []
    supervisor = Supervisor(report=lines.append, hung=hung)
    supervisor.start(Program("sleeper", ["sleep", "600"], grace_s=1))
    supervisor.run(until=lambda: len(pids) == 2)
    supervisor.stop()

    assert lines[0] == "sleeper hangs and is killed"
    assert "SIGKILL" in lines[1]


def pulse_again(pid: int) -> None:
    """Set the time of a process's pulse file one second later."""
    file = Path(settings.DATA_DIR) / "pulses" / str(pid)
    moment_ns = file.stat().st_mtime_ns + 10**9
    os.utime(file, ns=(moment_ns, moment_ns))
