"""The recurring tasks of each worker host: recover the work of dead workers, and delete expired data.

There is no central scheduler. Several hosts may run these tasks at the same time, because each task claims its rows in
the database.
"""

from __future__ import annotations

import logging
import threading
import time
from importlib import import_module

from django.conf import settings
from django.db import close_old_connections

from jobs.inference import activation
from jobs.intake import uploads
from jobs.mail import outbox
from jobs.results import bundling, deletions, reserve
from jobs.webhooks import delivery
from jobs.work import recovery, retention
from jobs.work.outages import Outages

logger = logging.getLogger(__name__)

_EXPIRE_EVERY_S = 60.0


def _sessions_clear() -> None:
    """Delete the expired login sessions, as Django's command `clearsessions` does."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def upkeep_start() -> None:
    """Start the three recurring loops in background threads. They run until the process ends.

    If a step of a loop fails, the error is logged, and the loop starts again from its first step after the usual pause.
    """
    for loop in (_recover, _watch_storage, _expire):
        threading.Thread(target=loop, name=loop.__name__, daemon=True).start()


def _recover() -> None:
    """Repeatedly recover pictures, zips, webhook messages and mails whose worker died or whose queue message was lost.

    The workers may have run on any host.
    """
    while _after_pause():
        try:
            close_old_connections()
            recovery.images_recover()
            bundling.bundles_recover()
            delivery.deliveries_resend()
            outbox.mails_resend()
        except Exception:
            logger.exception("the sweep failed; the next one starts in %s s", settings.MATTING_SWEEP_INTERVAL_S)


def _watch_storage() -> None:
    """Repeatedly check the storage, and retry postponed pictures when the storage works again.

    This runs in a separate thread, because a storage may hang.
    """
    outages = Outages()
    while _after_pause():
        try:
            close_old_connections()
            outages.look()
        except Exception:
            logger.exception("the storage could not be watched; it is repeated")


def _expire() -> None:
    """Repeatedly delete expired data.

    This runs in a separate thread, because a slow storage must not delay the recovery.
    """
    next_expiry_s = 0.0
    while _after_pause():
        try:
            close_old_connections()
            deletions.deletions_retry()
            reserve.reserve_keep()
            if time.monotonic() >= next_expiry_s:
                more_may_be_left = bool(retention.jobs_expire())
                next_expiry_s = 0.0 if more_may_be_left else time.monotonic() + _EXPIRE_EVERY_S
                uploads.uploads_expire()
                activation.activations_expire()
                delivery.deliveries_expire()
                _sessions_clear()
        except Exception:
            logger.exception("the deletion of what has expired failed; it is repeated")


def _after_pause() -> bool:
    time.sleep(settings.MATTING_SWEEP_INTERVAL_S)
    return True
