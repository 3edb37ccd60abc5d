"""The loaded models of one worker, within a memory budget. Only worker processes import this module."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jobs.inference.memory import rss_bytes
from segmentation.engines.base import Engine
from segmentation.runtimes import device_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file. An empty `sha256` accepts any content; it is used for the built-in file."""

    path: Path
    sha256: str = ""


@dataclass(slots=True)
class _Loaded:
    engine: Engine
    bytes: int
    used_at: float


class Pool:
    """A pool of models that are loaded at their first use. Models are unloaded if memory is needed or if they are idle.

    budget_bytes: the limit for all loaded models together; a requested model is loaded even if it exceeds the limit.
    idle_s: unload a model after this time without a picture, in seconds, except the one given to `keep`.
    A load blocks only callers that need the same file, because heartbeats and other pictures must not wait for it.
    load, size: build an engine, and estimate its memory beforehand; tests replace them.
    """

    def __init__(
        self,
        *,
        budget_bytes: int,
        idle_s: float,
        load: Callable[[Weights], Engine],
        size: Callable[[Weights], int] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget_bytes, self.idle_s = budget_bytes, idle_s
        self._load, self._size, self._now = load, size or _file_bytes, now
        self._loaded: dict[Weights, _Loaded] = {}
        self._expected: dict[Weights, int] = {}  # the memory in bytes of the models that are being loaded
        self._loading: dict[Weights, threading.Lock] = {}
        self._kept: Weights | None = None
        self._lock = threading.Lock()  # guards the dictionaries; it is never held during a load

    def get(self, weights: Weights) -> Engine:
        """Return the engine of a weights file, loading it if needed. Raise the errors of `load`."""
        with self._lock:
            loading = self._loading.setdefault(weights, threading.Lock())
        with loading:
            return self._used(weights) or self._loaded_now(weights)

    def _used(self, weights: Weights) -> Engine | None:
        with self._lock:
            loaded = self._loaded.get(weights)
            if loaded is None:
                return None
            loaded.used_at = self._now()
            return loaded.engine

    def _loaded_now(self, weights: Weights) -> Engine:
        expected = self._size(weights)
        with self._lock:
            self._make_room(expected)
            self._expected[weights] = expected
        before = rss_bytes()
        try:
            engine = self._load(weights)
        finally:
            with self._lock:
                del self._expected[weights]
        with self._lock:
            self._loaded[weights] = _Loaded(engine, max(expected, rss_bytes() - before), self._now())
        return engine

    def loaded(self, weights: Weights) -> Engine | None:
        """Return the engine of a weights file if it is loaded; otherwise None."""
        with self._lock:
            one = self._loaded.get(weights)
            return None if one is None else one.engine

    def keep(self, weights: Weights) -> None:
        """Keep this model loaded even if it is idle, because most pictures use it.

        It replaces the model kept before.
        """
        self._kept = weights

    def unload_idle(self) -> int:
        """Unload the models that were not used for `idle_s` seconds, and return their number."""
        with self._lock:
            since = self._now() - self.idle_s
            idle = [key for key, one in self._loaded.items() if one.used_at < since and key != self._kept]
            for key in idle:
                self._unload(key, "was idle")
            return len(idle)

    def unload_others(self, weights: Weights) -> None:
        """Unload all models except the one with these weights. This is called after memory ran out."""
        with self._lock:
            for key in [key for key in self._loaded if key != weights]:
                self._unload(key, "made room")

    def describe(self) -> list[dict[str, object]]:
        """Return name, version, runtime, device and memory (MiB) of each loaded model, for the heartbeat."""
        with self._lock:
            return [
                {
                    "model": one.engine.name,
                    "version": one.engine.version,
                    "runtime": one.engine.runtime,
                    "device": device_of(one.engine.runtime),
                    "megabytes": round(one.bytes / 2**20),
                }
                for one in self._loaded.values()
            ]

    def _make_room(self, wanted: int) -> None:
        wanted += sum(self._expected.values())
        while self._loaded and wanted + sum(one.bytes for one in self._loaded.values()) > self.budget_bytes:
            oldest = min(self._loaded, key=lambda key: self._loaded[key].used_at)
            self._unload(oldest, "made room")

    def _unload(self, weights: Weights, reason: str) -> None:
        gone = self._loaded.pop(weights)
        logger.info("model %s %s %s and was unloaded", gone.engine.name, gone.engine.version, reason)


def _file_bytes(weights: Weights) -> int:
    """Return an estimate of a model's memory in bytes: twice the size of its file."""
    try:
        return 2 * weights.path.stat().st_size
    except OSError:
        return 0
