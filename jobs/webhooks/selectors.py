"""Queries for the webhooks and deliveries that an actor (a user or an API key) may see."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from jobs.errors import NotFound
from jobs.models import Webhook, WebhookDelivery
from jobs.teams.actor import Actor


def webhooks_of(actor: Actor) -> QuerySet[Webhook]:
    """Return the webhooks of the actor's team, newest first."""
    return Webhook.objects.filter(team=actor.team, kind=Webhook.Kind.ENDPOINT)


def webhook_get(actor: Actor, webhook_id: UUID) -> Webhook:
    webhook = webhooks_of(actor).filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFound
    return webhook


def deliveries_of(actor: Actor) -> QuerySet[WebhookDelivery]:
    """Return the messages of the team's webhooks and callbacks, newest first.

    If the actor sees only their own jobs, return only the messages about these jobs.
    """
    deliveries = WebhookDelivery.objects.select_related("webhook").filter(webhook__team=actor.team)
    return deliveries.filter(job__user=actor.user) if actor.sees_only_own else deliveries


def delivery_get(actor: Actor, delivery_id: UUID) -> WebhookDelivery:
    delivery = deliveries_of(actor).filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound
    return delivery
