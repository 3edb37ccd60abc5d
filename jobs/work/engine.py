"""Stage 6, the model: the one engine that this worker process keeps warm, swapped when another version is activated.

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
    """Name a weights file; `sha256` is empty where any content is welcome (the built-in file)."""

    path: Path
    sha256: str = ""


_lock = threading.Lock()
_engine: Engine | None = None
_source: Weights | None = None
# What this worker tried last: when that is activated, the swap costs nothing.
_tried: tuple[Weights, Engine] | None = None


def current_engine() -> Engine:
    """Give the engine of the active model version, loading it when it is not the one at hand.

    The new engine is built and tried beside the old one; when that fails the old one goes on serving, or the built-in
    one where nothing serves yet.
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
            logger.exception("the model %s could not be loaded; the one before goes on serving", wanted.path)
            _engine, _source = _engine or _load(_built_in()), wanted
        return _engine


def describe() -> dict[str, str]:
    """Say what is loaded, for the heartbeat."""
    if _engine is None:
        return {}
    return {"runtime": _engine.runtime, "model": _engine.name, "version": _engine.version}


def weights_tried(path: str) -> dict[str, str]:
    """Load a file of the weights folder, run it on a test picture, and describe it; raise WeightsInvalid if it fails.

    What serves is left alone.
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
