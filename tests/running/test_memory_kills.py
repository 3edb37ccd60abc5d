"""Tests that the site detects when the operating system has killed a process for lack of memory."""

from __future__ import annotations

from pathlib import Path

from jobs.running.memory_kills import MemoryKills


def test_a_kill_is_noticed_once_in_whichever_counter_it_stands(tmp_path: Path) -> None:
    machine, container = tmp_path / "vmstat", tmp_path / "memory.events"
    machine.write_text("nr_free_pages 7\noom_kill 2\n")
    container.write_text("low 0\noom 4\noom_kill 1\noom_group_kill 0\n")
    kills = MemoryKills((str(machine), str(container)))
    assert not kills.has_grown()

    container.write_text("low 0\noom 5\noom_kill 2\noom_group_kill 0\n")

    assert kills.has_grown()
    assert not kills.has_grown()


def test_a_system_without_counters_shows_no_kill(tmp_path: Path) -> None:
    assert not MemoryKills((str(tmp_path / "missing"),)).has_grown()


def test_the_counter_of_this_system_is_read() -> None:
    assert "oom_kill " in Path("/proc/vmstat").read_text()
