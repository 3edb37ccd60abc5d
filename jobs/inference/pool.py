"""Keep the loaded models of one worker within a memory budget. Only worker processes import this module."""

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
    """A weights file and the hash that its content must have. With an empty `sha256`, any content is accepted.

    The built-in file has an empty `sha256`.
    """

    path: Path
    sha256: str = ""


@dataclass(slots=True)
class _Loaded:
    engine: Engine
    bytes: int
    used_at: float


class Pool:
    """A pool of models. It loads a model at its first use and unloads it when memory is needed or the model is idle.

    budget_bytes: the memory limit for all loaded models together. A requested model is loaded even if it exceeds the
        limit.
    idle_s: a model is unloaded if no picture has used it for this number of seconds. The model passed to
        `keep` stays loaded.
    load: a function that loads a weights file and returns its engine.
    size: a function that estimates the memory of a model before it is loaded. By default, the estimate is twice
        the size of the file.
    now: a monotonic clock in seconds.

    While a model is loaded, only callers that need the same file wait. Heartbeats and other pictures do not wait.
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
        """Return the engine of a weights file, and load it if needed. Raise the errors of the `load` function."""
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
        """Return the engine of a weights file if it is loaded; otherwise return None."""
        with self._lock:
            one = self._loaded.get(weights)
            return None if one is None else one.engine

    def keep(self, weights: Weights) -> None:
        """Keep this model loaded even if it is idle, because most pictures use it.

        Only one model is kept. The next call replaces it.
        """
        self._kept = weights

    def unload_idle(self) -> int:
        """Unload the models that no picture has used for `idle_s` seconds, and return their number."""
        with self._lock:
            since = self._now() - self.idle_s
            idle = [key for key, one in self._loaded.items() if one.used_at < since and key != self._kept]
            for key in idle:
                self._unload(key, "was idle")
            return len(idle)

    def unload_others(self, weights: Weights) -> None:
        """Unload all models except the one with these weights. The workers call this method after memory ran out."""
        with self._lock:
            for key in [key for key in self._loaded if key != weights]:
                self._unload(key, "made room")

    def describe(self) -> list[dict[str, object]]:
        """Return the name, version, runtime, device and memory (MiB) of each loaded model, for the heartbeat."""
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
    """Return an estimate of a model's memory in bytes: twice the size of its file, or 0 if the file cannot be read."""
    try:
        return 2 * weights.path.stat().st_size
    except OSError:
        return 0
