"""Tests of counting CPUs and GPUs: in a container, its CPU limit is used instead of the host's CPU count.

GPUs are counted without their libraries.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from segmentation.cpus import available_cpus, default_workers, visible_gpus


@pytest.fixture(autouse=True)
def _host_of_64_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)))


@pytest.mark.parametrize(
    ("text", "expected"), [("200000 100000", 2), ("150000 100000", 2), ("max 100000", 64), ("", 64)]
)
def test_the_quota_of_a_container_is_read(tmp_path: Path, text: str, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(text)

    assert available_cpus(tmp_path) == expected


def test_the_quota_of_an_older_kernel_is_read(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("400000\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")

    assert available_cpus(tmp_path) == 4


def test_without_a_limit_all_allowed_cpus_count(tmp_path: Path) -> None:
    assert available_cpus(tmp_path) == 64


def test_gpus_are_counted_by_their_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()

    assert visible_gpus(tmp_path) == ["0", "1", "10"]


def test_a_choice_of_gpus_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 3")

    assert visible_gpus(tmp_path) == ["2", "3"]


@pytest.mark.parametrize(("chosen", "gpus"), [("-1", []), ("", []), ("1,-1,0", ["1"])])
def test_a_negative_number_ends_the_choice_of_gpus(
    monkeypatch: pytest.MonkeyPatch, chosen: str, gpus: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)

    assert visible_gpus() == gpus


@pytest.mark.parametrize(
    ("gpus", "may_use_gpus", "cpus", "workers"),
    [
        ("0", True, 64, 1),
        ("0,1,2", True, 2, 3),
        ("0,1", False, 64, 16),
        ("", True, 64, 16),
        ("", True, 4, 2),
        ("", True, 1, 1),
    ],
)
def test_a_machine_has_one_worker_per_gpu_or_a_quarter_of_its_cpus(
    monkeypatch: pytest.MonkeyPatch, gpus: str, may_use_gpus: bool, cpus: int, workers: int
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
    monkeypatch.setattr("segmentation.cpus.available_cpus", lambda: cpus)

    assert default_workers(may_use_gpus=may_use_gpus) == workers
