"""Detection of the end of a storage outage. The pictures that the outage postponed are then retried immediately.

The delays between attempts grow, so a picture might otherwise wait for minutes after a short outage. The delays are
shortened only if this module observed the outage and its end. If a single picture has a fault while the storage works,
the delays stay the same.
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
    """A check of the storage while pictures are postponed.

    Call `look` in a separate thread, because a storage may hang.
    storage_works: returns whether the storage works; None means a test that writes and deletes a small file.
    """

    def __init__(self, storage_works: Callable[[], bool] | None = None) -> None:
        self._storage_works = storage_works or _storage_works
        self._is_out = False

    def look(self) -> int:
        """Check the storage if pictures are postponed.

        When an outage has ended, make the postponed pictures due and return their number; otherwise return 0.
        """
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
    """Return the pictures that wait for their next attempt after a fault of the machine or a service."""
    return JobImage.objects.filter(status=Status.QUEUED, faults__gt=0, next_try_at__gt=timezone.now())


def _storage_works() -> bool:
    """Write a small file and delete it; return whether both succeeded."""
    try:
        name = default_storage.save(f"{_FOLDER}{uuid4().hex}", ContentFile(b"\0"))
        default_storage.delete(name)
    except Exception as error:
        logger.warning("the storage is still away: %s", error)
        return False
    return True
