"""Services for the webhooks of a team: create and change a webhook, rotate its secret, and delete it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.errors import PermissionDenied, ScopeMissing
from jobs.intake.fetch import check_url, policy_from_settings
from jobs.models import Action, Scope, Team, Webhook
from jobs.teams.actor import Actor
from jobs.webhooks.signing import new_secret
from segmentation.errors import InvalidParameter

MAX_WEBHOOKS = 20
_BOTH_SECRETS_FOR = dt.timedelta(hours=24)


def webhook_create(*, actor: Actor, url: str, events: Sequence[str] = tuple(Webhook.Event.values)) -> Webhook:
    """Create a webhook that sends the team's `events` to `url`, and return the webhook.

    Raise PermissionDenied if the actor may not manage webhooks, InvalidParameter for unknown events or too many
    webhooks, and the errors of `check_url`.
    """
    require_manager(actor)
    _check_url(url)
    _check_events(events)
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=actor.team.pk)
        if actor.team.webhooks.filter(kind=Webhook.Kind.ENDPOINT).count() >= MAX_WEBHOOKS:
            raise InvalidParameter(f"A team has at most {MAX_WEBHOOKS} webhooks.", field="url")
        webhook = Webhook.objects.create(
            team=actor.team, url=url, events=sorted(set(events)), secret=new_secret(), created_by=actor.user
        )
        webhook_audit(actor, webhook, after=_seen(webhook))
    return webhook


def webhook_update(
    *,
    actor: Actor,
    webhook: Webhook,
    url: str | None = None,
    events: Sequence[str] | None = None,
    is_enabled: bool | None = None,
) -> Webhook:
    """Change a webhook and return it. An argument that is None changes nothing.

    If the webhook is enabled, the stored reason for disabling it is cleared. Messages that are already waiting are sent
    to the old URL. Raise PermissionDenied if the actor may not manage webhooks, InvalidParameter for unknown events,
    and the errors of `check_url`.
    """
    require_manager(actor)
    changes: dict[str, Any] = {}
    if url is not None:
        _check_url(url)
        changes["url"] = url
    if events is not None:
        _check_events(events)
        changes["events"] = sorted(set(events))
    if is_enabled is not None:
        changes |= {"is_enabled": is_enabled, "disabled_reason": "" if is_enabled else "Switched off by the team."}
    if changes:
        with transaction.atomic():
            before = _seen(Webhook.objects.select_for_update().get(pk=webhook.pk))
            Webhook.objects.filter(pk=webhook.pk).update(**changes)
            webhook.refresh_from_db()
            webhook_audit(actor, webhook, before=before, after=_seen(webhook))
    return webhook


def webhook_rotate(*, actor: Actor, webhook: Webhook) -> Webhook:
    """Replace the secret of a webhook and return the webhook.

    For 24 hours, messages are signed with the old secret too. Raise PermissionDenied if the actor may not manage
    webhooks.
    """
    require_manager(actor)
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().get(pk=webhook.pk)
        webhook.previous_secret, webhook.secret = webhook.secret, new_secret()
        webhook.previous_secret_until = timezone.now() + _BOTH_SECRETS_FOR
        webhook.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
        webhook_audit(actor, webhook, after={"secret": "changed"})
    return webhook


def webhook_delete(*, actor: Actor, webhook: Webhook) -> None:
    """Delete a webhook with its deliveries; raise PermissionDenied if the actor may not manage webhooks."""
    require_manager(actor)
    with transaction.atomic():
        before, pk = _seen(webhook), webhook.pk
        webhook.delete()
        webhook.pk = pk
        webhook_audit(actor, webhook, before=before)


def callback_signer(*, team: Team) -> Webhook:
    """Return the Webhook row whose secret signs the callbacks of the team's jobs. Create the row if it is missing."""
    signer, _ = Webhook.objects.get_or_create(team=team, kind=Webhook.Kind.CALLBACKS, defaults={"secret": new_secret()})
    return signer


def require_manager(actor: Actor) -> None:
    """Raise PermissionDenied if the actor may not manage the team's webhooks; for a key, raise ScopeMissing."""
    if actor.key is not None and not actor.is_manager:
        raise ScopeMissing(Scope.ADMIN)
    if not actor.is_manager:
        raise PermissionDenied("Webhooks are managed by the team's owners and admins, or with the scope 'admin'.")


def webhook_audit(
    actor: Actor | None, webhook: Webhook, *, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> None:
    """Record a change of a webhook in the audit trail.

    actor: the author of the change; None means the site itself.
    before, after: the values before and after the change; None means that they are not recorded.
    """
    audit_append(action=Action.WEBHOOK_CHANGED, author=Author.of(actor), target=webhook, before=before, after=after)


def _seen(webhook: Webhook) -> dict[str, Any]:
    """Return the values of a webhook that the audit trail stores. Secrets are left out."""
    return {"url": webhook.url, "events": webhook.events, "is_enabled": webhook.is_enabled}


def _check_url(url: str) -> None:
    check_url(url, policy_from_settings("callback"), field="url")


def _check_events(events: Sequence[str]) -> None:
    if not events or set(events) - set(Webhook.Event.values):
        raise InvalidParameter(f"events: choose from {', '.join(Webhook.Event.values)}", field="events")
