"""Tests of one worker process: its memory limit, its threads, and the share of pictures for a trial model."""

from __future__ import annotations

import os
import signal
import uuid

import pytest
from django.core.management import call_command
from pytest_django import Settings

from jobs.inference import engines, measuring
from jobs.inference.engines import Engines, end_when_too_large
from jobs.inference.escalation import Escalation
from jobs.inference.pool import Pool
from jobs.inference.routing import RoutedEngine
from jobs.models import Job, JobImage, Team
from jobs.running import worker
from jobs.work import tasks
from tests.fakes import FakeEngine

PICTURES = 2000


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return the list of sent signals, as pairs of process id and signal. The process pretends to use 300 MB."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(engines.os, "kill", lambda pid, number: sent.append((pid, number)))
    monkeypatch.setattr(engines, "rss_bytes", lambda: 300 * 2**20)
    return sent


@pytest.mark.parametrize(("limit_mb", "is_replaced"), [(299, True), (300, False), (301, False), (0, False)])
def test_a_worker_above_the_limit_ends(
    settings: Settings, signals: list[tuple[int, int]], limit_mb: int, is_replaced: bool
) -> None:
    settings.MATTING_WORKER_MAX_MB = limit_mb

    assert end_when_too_large() is is_replaced

    assert signals == ([(os.getpid(), signal.SIGTERM)] if is_replaced else [])


def test_the_limit_is_checked_after_the_picture(
    settings: Settings, signals: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_WORKER_MAX_MB = 1
    during: list[int] = []
    monkeypatch.setattr(tasks, "_attempt", lambda image_id, step: during.append(len(signals)))

    tasks.image_process(str(uuid.uuid4()))

    assert (during, len(signals)) == ([0], 1)


@pytest.mark.parametrize(
    ("setting", "available", "machine", "workers", "threads"),
    [
        (3, 4, 64, 2, 3),
        (0, 4, 64, 2, 2),
        (0, 1, 64, 2, 1),
        (0, 64, 64, 2, None),
    ],
    ids=["the setting", "the share of a container", "at least one", "without a limit the runtime chooses"],
)
def test_threads_follow_the_setting_or_the_limit_of_the_container(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    setting: int,
    available: int,
    machine: int,
    workers: int,
    threads: int | None,
) -> None:
    settings.MATTING_MODEL_THREADS, settings.MATTING_WORKERS = setting, workers
    monkeypatch.setattr(measuring, "available_cpus", lambda: available)
    monkeypatch.setattr(measuring.os, "cpu_count", lambda: machine)

    assert measuring.model_threads() == threads


def test_the_number_of_processes_on_the_command_line_decides_their_share_of_threads(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_WORKERS, settings.MATTING_MODEL_THREADS = 1, 0
    monkeypatch.setenv("MATTING_WORKERS", "1")
    monkeypatch.setattr(measuring, "available_cpus", lambda: 8)
    monkeypatch.setattr(measuring.os, "cpu_count", lambda: 64)
    shares: list[tuple[int | None, str]] = []
    monkeypatch.setattr(
        worker, "run_workers", lambda count: shares.append((measuring.model_threads(), os.environ["MATTING_WORKERS"]))
    )

    call_command("work", "--processes", "4")

    assert shares == [(2, "4")]


@pytest.mark.parametrize("percent", [0, 30, 100])
def test_the_trial_gets_its_share_of_a_teams_pictures(monkeypatch: pytest.MonkeyPatch, percent: int) -> None:
    monkeypatch.setattr(Engines, "refresh", lambda self: None)
    worker = Engines(
        Pool(budget_bytes=1, idle_s=1, load=lambda weights: FakeEngine()), Escalation(above=1, max_share=0, max_s=1)
    )
    job = Job(team=Team(name="studio", trial_percent=percent), options={})
    images = [JobImage(job=job) for _ in range(PICTURES)]

    chosen = [is_trial(worker.routed(image)) for image in images]

    assert abs(sum(chosen) - PICTURES * percent / 100) < PICTURES * 0.06 * (0 < percent < 100) + 0.5
    assert chosen == [is_trial(worker.routed(image)) for image in images]  # a repeated attempt uses the same model


def is_trial(engine: RoutedEngine) -> bool:
    return engine._is_trial
