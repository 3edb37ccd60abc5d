"""Helpers that simulate other hosts: their heartbeats, their empty folders, and their failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_django import Settings

from jobs.errors import NotFound
from jobs.inference.pool import Weights
from jobs.work import queue
from segmentation.engines.base import Engine


def beats(
    host: str, *, weights: Sequence[str] = (), loadable: Sequence[str] = (), failed: dict[str, str] | None = None
) -> None:
    state = {"weights": [*weights], "loadable": [*loadable], "failed": failed or {}, "missing": [], "loaded": []}
    queue.beat(f"{host}-1", {"host": host, "role": "pictures"} | state)


def move_to_another_host(settings: Settings, tmp_path: Path) -> None:
    settings.MATTING_WEIGHTS_DIR = tmp_path / "empty"
    settings.DATA_DIR = tmp_path / "other-data"
    settings.MATTING_WEIGHTS_DIR.mkdir()


def raising(error: Exception) -> Callable[[Weights], Engine]:
    def load(weights: Weights) -> Engine:
        raise error

    return load


def raising_not_found(key: str) -> None:
    raise NotFound("The file has been deleted.")
