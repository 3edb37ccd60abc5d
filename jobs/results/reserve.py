"""A reserve file that occupies disk space.

When the disk is full, this file is deleted, so that the database has space to record deletions of other files.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from django.conf import settings
from django.db import OperationalError

logger = logging.getLogger(__name__)

RESERVE_BYTES = 16 * 2**20


def reserve_keep() -> None:
    """Create the reserve file if it is missing and the disk has enough space.

    A background thread (`jobs.running.upkeep`) calls this function regularly.
    """
    path = _path()
    if path.exists() or shutil.disk_usage(path.parent).free < 4 * RESERVE_BYTES:
        return
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def reserve_release() -> bool:
    """Delete the reserve file. Return False if the file does not exist or cannot be deleted."""
    try:
        _path().unlink()
    except OSError:
        return False
    logger.warning("the disk is full: the reserve was released for a deletion")
    return True


def is_disk_full(error: OperationalError) -> bool:
    """Return whether a database error means that the disk is full.

    SQLite reports a full disk in the error message. PostgreSQL reports it with the error code 53100.
    """
    return "disk is full" in str(error) or getattr(error.__cause__, "sqlstate", "") == "53100"


def _path() -> Path:
    return Path(settings.DATA_DIR) / "reserve"
