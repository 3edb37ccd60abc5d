"""Measure which runtime is fastest for each model on this machine. Only workers and commands import this module."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from jobs.inference.built_in import built_in_path, click_path
from jobs.inference.files import digest_of, weights_fetch
from jobs.inference.selectors import active_versions
from jobs.models import Role
from segmentation.cpus import available_cpus
from segmentation.engines.fastest import remembered_runtime
from segmentation.engines.manifest import BUILT_IN_SUFFIXES
from segmentation.engines.registry import a_gpu_may_be_there, measure_runtimes
from segmentation.runtimes import Runtime


class Measuring:
    """Starts `manage.py measure_runtimes` at low priority when a model on this host has not been measured.

    A worker checks each file only once, because some models have no runtime that can be measured.
    """

    def __init__(self) -> None:
        self._checked: set[str] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Check the models that were activated since the last call, and start the measurement if one is needed.

        Nothing is measured if the configured runtime is not `auto`, or if the machine may have a GPU.
        """
        if settings.MATTING_RUNTIME != Runtime.AUTO or a_gpu_may_be_there() or self._is_running():
            return
        new = {digest: path for path in _files() if (digest := digest_of(path)) not in self._checked}
        self._checked |= set(new)
        if any(_remembered(path) is None for path in new.values()):
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "measure_runtimes"]
            self._process = subprocess.Popen(command, preexec_fn=lambda: os.nice(19), stdin=subprocess.DEVNULL)

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None


def runtimes_measure() -> Iterator[tuple[Path, Runtime]]:
    """Measure the runtimes for the built-in and the active models. Yield each weights file with its fastest runtime."""
    for path in _files():
        yield path, measure_runtimes(path, cache_dir=cache_dir(), threads=model_threads())


def cache_dir() -> Path:
    """Return the folder that stores the converted models and the fastest runtime of each model."""
    return Path(settings.DATA_DIR) / "engine-cache"


def model_threads() -> int | None:
    """Return the number of threads for a model, or None if the runtime chooses the number.

    The number is the setting MATTING_MODEL_THREADS. If it is not set and a container limits the CPUs, the number is
    this worker's share of these CPUs.
    """
    if settings.MATTING_MODEL_THREADS:
        return int(settings.MATTING_MODEL_THREADS)
    cpus = available_cpus()
    return None if cpus >= (os.cpu_count() or 1) else max(1, cpus // settings.MATTING_WORKERS)


def _files() -> list[Path]:
    """Return the files of the built-in and the active models, and of the model for clicks unless it was deleted."""
    active = [path for one in active_versions().values() if (path := weights_fetch(one))]
    clicks = [path for path in [click_path()] if path.is_file()]
    return list(dict.fromkeys([*(built_in_path(role) for role in Role), *active, *clicks]))


def _remembered(path: Path) -> Runtime | None:
    built_in = path.suffix.lower() in BUILT_IN_SUFFIXES
    return remembered_runtime(path, cache_dir=cache_dir(), built_in=built_in)
