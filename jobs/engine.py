"""Stage 6, the model: the one engine that this worker process keeps warm, swapped when another version is activated.

Only worker processes and commands import this module.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from jobs import selectors
from segmentation.engines.base import Engine
from segmentation.engines.registry import load_engine

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_engine: Engine | None = None
_source: str = ""


def current_engine() -> Engine:
    """Give the engine of the active model version, loading it when it is not the one at hand.

    The new engine is built and tried beside the old one; when that fails the old one goes on serving.
    """
    global _engine, _source
    wanted = _wanted_weights()
    with _lock:
        if _engine is not None and wanted == _source:
            return _engine
        try:
            _engine, _source = _load(wanted), wanted
        except Exception:
            if _engine is None:
                raise
            logger.exception("the model %s could not be loaded; %s goes on serving", wanted, _engine.name)
            _source = wanted
        return _engine


def describe() -> dict[str, str]:
    """Say what is loaded, for the heartbeat."""
    if _engine is None:
        return {}
    return {"runtime": _engine.runtime, "model": _engine.name, "version": _engine.version}


def _wanted_weights() -> str:
    try:
        version = selectors.active_model()
    except DatabaseError:  # the command line works before the first migration, or while the database is away
        version = None
    if version is None:
        return _source or str(settings.MATTING_WEIGHTS)
    return str(Path(settings.MATTING_WEIGHTS_DIR) / version.path)


def _load(weights: str) -> Engine:
    engine = load_engine(
        Path(weights), runtime=settings.MATTING_RUNTIME, cache_dir=Path(settings.DATA_DIR) / "engine-cache"
    )
    logger.info("model %s %s is warm on %s", engine.name, engine.version, engine.runtime)
    return engine
