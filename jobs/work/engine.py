"""The one engine that a worker process keeps loaded; it is replaced when another version is activated.

Only worker processes and commands import this module.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from jobs.work.selectors import active_model
from segmentation.engines.base import Engine
from segmentation.engines.registry import load_engine
from segmentation.errors import WeightsInvalid

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file; an empty `sha256` accepts any content (the built-in file)."""

    path: Path
    sha256: str = ""


_lock = threading.Lock()
_engine: Engine | None = None
_source: Weights | None = None
# The weights that this worker tried last: activating them needs no second load.
_tried: tuple[Weights, Engine] | None = None


def current_engine() -> Engine:
    """Return the engine of the active model version, and load it where another one is loaded.

    The new engine is built and tried beside the old one. When that fails, the old one stays in use, or the built-in one
    where none is loaded yet.
    """
    global _engine, _source
    wanted = _wanted_weights()
    with _lock:
        if _engine is not None and wanted == _source:
            return _engine
        try:
            _engine, _source = _load(wanted), wanted
        except Exception:
            if _engine is None and wanted == _built_in():
                raise
            logger.exception("the model %s could not be loaded; the one before stays in use", wanted.path)
            _engine, _source = _engine or _load(_built_in()), wanted
        return _engine


def describe() -> dict[str, str]:
    """Return what is loaded, for the heartbeat."""
    if _engine is None:
        return {}
    return {"runtime": _engine.runtime, "model": _engine.name, "version": _engine.version}


def weights_tried(path: str) -> dict[str, str]:
    """Load a file of the weights folder, run it on a test picture and describe it; raise WeightsInvalid if it fails.

    The engine in use is not changed.
    """
    global _tried
    file = Path(settings.MATTING_WEIGHTS_DIR) / path
    if not file.is_file():
        raise WeightsInvalid(f"The weights file {file.name} does not exist.")
    with file.open("rb") as content:
        weights = Weights(file, hashlib.file_digest(content, "sha256").hexdigest())
    engine = _load(weights)
    _tried = weights, engine
    return {"name": engine.name, "sha256": weights.sha256, "architecture": type(engine).__name__}


def _wanted_weights() -> Weights:
    try:
        version = active_model()
    except DatabaseError:  # the command line works before the first migration, or while the database is away
        version = None
    if version is None:
        return _source or _built_in()
    return Weights(Path(settings.MATTING_WEIGHTS_DIR) / version.path, version.sha256)


def _built_in() -> Weights:
    return Weights(Path(settings.MATTING_WEIGHTS))


def _load(weights: Weights) -> Engine:
    global _tried
    tried, _tried = _tried, None
    if tried is not None and tried[0] == weights:
        return tried[1]
    engine = load_engine(
        weights.path, runtime=settings.MATTING_RUNTIME, cache_dir=Path(settings.DATA_DIR) / "engine-cache"
    )
    if not weights.sha256.startswith(engine.version) and weights.sha256:
        raise WeightsInvalid(f"The weights file {weights.path.name} has changed since it was tried.")
    logger.info("model %s %s is warm on %s", engine.name, engine.version, engine.runtime)
    return engine
