"""Notice that the storage works again after an outage, and let the pictures that it postponed be tried at once.

The delays between tries grow, so that a picture may have to wait for minutes after a short outage. Only an outage that
was seen to end shortens them: a fault that concerns one picture, while the storage works, keeps its delays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import JobImage, Status

logger = logging.getLogger(__name__)

_FOLDER = "outages/"


class Outages:
    """Watch the storage while pictures are postponed. A storage may hang: call `look` in a thread of its own."""

    def __init__(self, storage_works: Callable[[], bool] | None = None) -> None:
        self._storage_works = storage_works or _storage_works
        self._is_out = False

    def look(self) -> int:
        """Test the storage if pictures are postponed; return how many are due now because an outage has ended."""
        if not postponed().exists():
            self._is_out = False
            return 0
        if not self._storage_works():
            self._is_out = True
            return 0
        if not self._is_out:
            return 0
        self._is_out = False
        due = postponed().update(next_try_at=timezone.now())
        logger.warning("the storage works again: %d postponed pictures are tried at once", due)
        return due


def postponed() -> QuerySet[JobImage]:
    """Return the pictures that wait for a later try after a fault of a machine."""
    return JobImage.objects.filter(status=Status.QUEUED, faults__gt=0, next_try_at__gt=timezone.now())


def _storage_works() -> bool:
    """Write a small file and delete it."""
    try:
        name = default_storage.save(f"{_FOLDER}{uuid4().hex}", ContentFile(b"\0"))
        default_storage.delete(name)
    except Exception as error:
        logger.warning("the storage is still away: %s", error)
        return False
    return True
