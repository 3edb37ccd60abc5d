"""Measurement of the fastest runtime for a model on this machine.

The measurement loads the model on each runtime, which takes seconds to minutes. Therefore a process does not measure
when it starts. It uses the stored result.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from segmentation.cpus import available_cpus
from segmentation.engines.base import Engine
from segmentation.engines.manifest import file_digest
from segmentation.errors import MattingError
from segmentation.runtimes import Runtime

logger = logging.getLogger(__name__)

RUNS = 3
FILE_NAME = "runtimes.json"
# A runtime must be this much faster than the previous one in the list, because measurements vary.
LEAST_GAIN = 0.95


def remembered_runtime(weights: Path, *, cache_dir: Path, built_in: bool) -> Runtime | None:
    """Return the runtime that was measured as the fastest for a weight file, or None if there is no measurement.

    cache_dir: the folder with the stored measurements.
    built_in: whether the file belongs to the built-in network.
    """
    known = _read(cache_dir / FILE_NAME).get(_key(weights, built_in=built_in))
    return Runtime(known) if known in tuple(Runtime) else None


def fastest_runtime(
    weights: Path,
    *,
    candidates: Sequence[Runtime],
    load: Callable[[Runtime], Engine],
    cache_dir: Path,
    built_in: bool,
) -> Runtime:
    """Return the fastest runtime for a weight file, from the file in `cache_dir` or by a measurement of the candidates.

    The first candidate is preferred: a later candidate is chosen only if it is at least 5 % faster. Candidates that are
    not available are skipped. If no candidate is available, return Runtime.AUTO. Checkpoints of the built-in network
    that have the same file size share one measurement, because they are equally fast.

    load: a function that builds and warms up an engine on one runtime.
    cache_dir: the folder with the stored measurements.
    built_in: whether the file belongs to the built-in network.
    """
    key = _key(weights, built_in=built_in)
    path = cache_dir / FILE_NAME
    with _locked(path):
        known = _read(path)
        if known.get(key) in candidates:
            return Runtime(known[key])
        times_s = {runtime: seconds for runtime in candidates if (seconds := _measured(runtime, load)) is not None}
        if not times_s:
            return Runtime.AUTO
        best = min(times_s, key=lambda runtime: times_s[runtime])
        first = next(iter(times_s))
        if times_s[best] > LEAST_GAIN * times_s[first]:
            best = first
        figures = ", ".join(f"{runtime} {seconds * 1000:.0f} ms" for runtime, seconds in times_s.items())
        logger.info("%s runs fastest on %s here: %s", weights.name, best, figures)
        _write(path, known | {key: str(best)})
        return best


def _measured(runtime: Runtime, load: Callable[[Runtime], Engine]) -> float | None:
    """Return the shortest time that the runtime needs for one picture, in seconds; None if it is unavailable."""
    try:
        engine = load(runtime)
        return min(_time_s(engine) for _ in range(RUNS))
    except (MattingError, ImportError, RuntimeError) as error:
        logger.info("the runtime %s cannot be used here: %s", runtime, error)
        return None


def _time_s(engine: Engine) -> float:
    rgb = np.tile(np.linspace(0, 255, 480, dtype=np.uint8)[None, :, None], (360, 1, 3))
    started = time.perf_counter()
    engine.auto(rgb)
    return time.perf_counter() - started


def _key(weights: Path, *, built_in: bool) -> str:
    """Return the key under which a measurement is stored. The key names the machine and the model."""
    machine = f"{platform.node()} {platform.machine()} {_cpu_name()} x{available_cpus()}"
    model = f"built-in {weights.suffix} {weights.stat().st_size}" if built_in else file_digest(weights)[:16]
    return f"{machine}: {model}"


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file lock during the `with` block, so that only one process measures at a time.

    Two measurements at the same time would slow each other down. If the folder is read-only, no lock is used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock").open("w")
    except OSError:  # a read-only folder: measure at each start
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(path: Path, known: dict[str, str]) -> None:
    draft = path.with_suffix(".part")
    try:
        draft.write_text(json.dumps(known, indent=2), encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        logger.warning("the fastest runtime could not be kept in %s: %s", path, error)
