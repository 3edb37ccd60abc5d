"""Leases. A worker claims a row (picture, zip, webhook delivery, mail or deletion) for a limited time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Leased(models.Model):
    """Abstract base class of rows that one worker at a time processes under a lease.

    ::

        waiting ──claim──▶ leased ──end──▶ ended, or deleted
           ▲                 │
           └────release──────┘   a regular task releases the row when its lease has expired

    Each method that changes the state runs one conditional update. It returns False if another process has changed the
    row first.

    `attempt` only increases. A worker with an older attempt number can no longer change the row. The names of the files
    that an attempt writes contain the attempt number.
    """

    # Subclasses with a status column set these two to the values of the waiting and the leased state.
    WAITING: ClassVar[Mapping[str, Any]] = {}
    LEASED: ClassVar[Mapping[str, Any]] = {}

    # The defaults in the database let the previous version write rows during an upgrade.
    attempt = models.PositiveSmallIntegerField(
        _("attempts"), default=0, db_default=0, help_text=_("How often a worker has claimed it.")
    )
    attempts_before = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How many of these attempts no longer count towards giving it up."
    )
    claimed_by = models.CharField(_("worker"), max_length=120, blank=True, db_default="")
    leased_until = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(
        _("next try"), null=True, blank=True, help_text=_("Not claimed before; empty: at once.")
    )

    class Meta:
        abstract = True

    @property
    def strikes(self) -> int:
        """The number of attempts that count as failures, which is `attempt` minus `attempts_before`.

        When this number has reached LeasedWork.max_strikes and the attempt fails, there is no further attempt.
        """
        return self.attempt - self.attempts_before

    @classmethod
    def claimable(cls) -> models.QuerySet[Self]:
        """Return the rows that are waiting and whose next attempt is due."""
        is_due = models.Q(next_try_at=None) | models.Q(next_try_at__lte=timezone.now())
        return cls._default_manager.filter(is_due, leased_until=None, **cls.WAITING)

    def claim(self, *, lease_s: float, worker: str = "", **values: Any) -> bool:
        """Claim the row for one attempt. Return False if the row is not waiting or not due.

        lease_s: the duration of the lease in seconds.
        worker: the name of the worker.
        values: other columns to set.
        """
        until = timezone.now() + dt.timedelta(seconds=lease_s)
        values |= {"attempt": F("attempt") + 1, "leased_until": until, "claimed_by": worker, **self.LEASED}
        claimed = self.claimable().filter(pk=self.pk).update(**values) == 1
        if claimed:
            self.refresh_from_db()
        return claimed

    def renew(self, *, lease_s: float) -> bool:
        """Extend the lease of this attempt to `lease_s` seconds from now. Return False if the lease is lost."""
        return self.held().update(leased_until=timezone.now() + dt.timedelta(seconds=lease_s)) == 1

    def release(self, *, delay_s: float = 0.0, **values: Any) -> bool:
        """End this attempt and set the row back to waiting. Return False if the lease is lost.

        delay_s: the number of seconds before the next attempt may start.
        values: other columns to set.
        """
        then = timezone.now() + dt.timedelta(seconds=delay_s) if delay_s else None
        return self.end(next_try_at=then, **self.WAITING, **values)

    def end(self, **values: Any) -> bool:
        """End this attempt and set the columns in `values`. Return False and write nothing if the lease is lost."""
        return self.held().update(leased_until=None, **values) == 1

    def held(self) -> models.QuerySet[Self]:
        """Return a queryset that contains this row. It is empty if this attempt has lost its lease."""
        rows = type(self)._default_manager.filter(pk=self.pk, attempt=self.attempt)
        return rows.exclude(leased_until=None)
