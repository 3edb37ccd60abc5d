"""Tests that the parent process detects a worker process that hangs or is stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import Settings

from jobs.running.pulse import HUNG_AFTER_S, IDLE_AND_HUNG_AFTER_S, STEADY_S, Activity, Pulses, activity, pulse
from jobs.running.supervision import Program, Supervisor
from tests.stack import wait_for

PID = 4711


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def test_a_process_hangs_when_its_pulse_stops_and_not_before_it_begins() -> None:
    now_s = [1000.0]
    worked_s = count(step=10)
    pulses = Pulses(clock=lambda: now_s[0], activity_of=lambda pid: Activity(next(worked_s)))
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
    now_s, cpu_s = [1000.0], [7.0]
    pulses = Pulses(clock=lambda: now_s[0], activity_of=lambda pid: Activity(cpu_s[0]))
    pulse(PID)
    assert not pulses.is_hung(PID)
    now_s[0] += IDLE_AND_HUNG_AFTER_S
    cpu_s[0] += 1
    assert not pulses.is_hung(PID)
    now_s[0] += IDLE_AND_HUNG_AFTER_S
    assert not pulses.is_hung(PID)  # it has worked since the last check

    now_s[0] += 1

    assert pulses.is_hung(PID)


@pytest.mark.parametrize(("thread_of", "hangs"), [(lambda number: number % 3, True), (lambda number: 1, False)])
def test_a_thread_that_is_busy_all_the_time_works_and_threads_that_take_turns_do_not(
    thread_of: Callable[[int], int], hangs: bool
) -> None:
    now_s, number = [1000.0], [0]
    pulses = Pulses(clock=lambda: now_s[0], activity_of=lambda pid: Activity(7.0, frozenset({thread_of(number[0])})))
    pulse(PID)
    found = []
    for _ in range(int(3 * IDLE_AND_HUNG_AFTER_S / STEADY_S)):
        found.append(pulses.is_hung(PID))
        now_s[0] += STEADY_S
        number[0] += 1

    assert found[-1] is hangs


@pytest.mark.slow
def test_a_process_whose_threads_only_wait_for_the_interpreter_hangs(tmp_path: Path) -> None:
    code = (
        "import ctypes, threading\npause = threading.Event()\n"
        "for _ in range(6): threading.Thread(target=lambda: [pause.wait(0.01) for _ in range(10**9)]).start()\n"
        "print('ready', flush=True)\nctypes.PyDLL(None).sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as hanging:
        try:
            hanging.stdout.readline()
            pulse(hanging.pid)
            pulses = Pulses()
            wait_for(lambda: pulses.is_hung(hanging.pid), timeout_s=HUNG_AFTER_S * 0.9, what="it counts as working")
        finally:
            hanging.kill()


def test_the_activity_of_a_process_is_read_from_the_system() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as waiting:
        waiting.stdin.write(b"line\n")
        waiting.stdin.flush()
        waiting.stdout.readline()
        wait_for(lambda: not activity(waiting.pid).busy, timeout_s=60, what="cat does not wait for input")

        assert activity(waiting.pid).cpu_s >= 0
        waiting.stdin.close()
    assert os.getpid() in activity(os.getpid()).busy  # this test runs in the first thread
    assert activity(2**22 + 1) is None


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
    """Increase the time of a process's pulse file by one second. The file shows that the process is alive."""
    file = Path(settings.DATA_DIR) / "pulses" / str(pid)
    moment_ns = file.stat().st_mtime_ns + 10**9
    os.utime(file, ns=(moment_ns, moment_ns))
