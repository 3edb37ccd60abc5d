"""Warn a team that has used most or all of its quota. A worker process without a model sends the warnings."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from jobs.models import Membership, Team, UsagePeriod, Webhook
from jobs.quota.charges import QUOTA_ALERT
from jobs.webhooks.outbox import delivery_enqueue
from jobs.work.registry import runs


@runs(QUOTA_ALERT)
def quota_alert_send(*, period_id: int, percent: int, limit: int) -> None:
    """Send a quota warning to the team's owners and admins by e-mail, and to the team's webhooks as an event.

    The name of the event is `quota.warning`. E-mail is sent only if the site has a mail server.

    period_id: the id of the UsagePeriod (the team's day or month). Nothing is sent if this row no longer exists.
    percent: the percentage of the quota that is used.
    limit: the quota in units.
    """
    period = UsagePeriod.objects.select_related("team").filter(pk=period_id).first()
    if period is None:
        return
    _webhooks_call(period, percent, limit)
    if settings.EMAIL_IS_CONFIGURED:
        _managers_write(period, percent, limit)


def _webhooks_call(period: UsagePeriod, percent: int, limit: int) -> None:
    listening = period.team.webhooks.filter(kind=Webhook.Kind.ENDPOINT, is_enabled=True)
    payload = {
        "type": Webhook.Event.QUOTA_WARNING,
        "timestamp": timezone.now().astimezone(dt.UTC).isoformat(),
        "data": _data(period, percent, limit),
    }
    with transaction.atomic():
        for webhook in listening:
            if Webhook.Event.QUOTA_WARNING in webhook.events:
                delivery_enqueue(webhook=webhook, event=Webhook.Event.QUOTA_WARNING, payload=payload)


def _managers_write(period: UsagePeriod, percent: int, limit: int) -> None:
    addresses = _manager_addresses(period.team)
    if not addresses:
        return
    if percent >= 100:
        subject = f"{period.team}: the quota of this {period.kind} is used up"
        consequence = "Further pictures are refused until the next one begins."
    else:
        subject = f"{period.team}: {percent} % of this {period.kind}'s quota is used"
        consequence = "Nothing is refused yet."
    used = f"{period.pictures} of {limit} pictures are used in the {period.kind} of {period.starts_on}."
    send_mail(subject, f"{used} {consequence}", None, addresses)


def _manager_addresses(team: Team) -> list[str]:
    managers = User.objects.filter(
        is_active=True, memberships__team=team, memberships__role__in=Membership.MANAGERS
    ).exclude(email="")
    return sorted(set(managers.values_list("email", flat=True)))


def _data(period: UsagePeriod, percent: int, limit: int) -> dict[str, Any]:
    return {
        "team": {"id": str(period.team_id), "name": period.team.name},
        "period": period.kind,
        "starts_on": period.starts_on.isoformat(),
        "percent": percent,
        "pictures": period.pictures,
        "limit": limit,
    }
