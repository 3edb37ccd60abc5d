"""Helpers of the webhook tests: they end jobs, create messages about them, and try once to send a message."""

from __future__ import annotations

from typing import Any

from jobs.models import Job, JobImage, Webhook, WebhookDelivery
from jobs.webhooks import outbox, signing
from jobs.webhooks.delivery import delivery_attempt
from tests.cast import Person

PUBLIC_URL = "https://receiver.example/hook"


def make_job(person: Person, *, images: int = 1, **values: Any) -> Job:
    job = Job.objects.create(
        team=person.team, user=person.user, dialect=Job.Dialect.NATIVE, options={}, images_total=images, **values
    )
    JobImage.objects.bulk_create(JobImage(job=job, position=position) for position in range(images))
    return job


def make_delivery(person: Person, url: str) -> WebhookDelivery:
    webhook = Webhook.objects.create(
        team=person.team, url=url, events=Webhook.Event.values, secret=signing.new_secret()
    )
    payload = {"type": "job.succeeded"}
    return outbox.delivery_enqueue(webhook=webhook, event="job.succeeded", payload=payload)


def attempt(delivery: WebhookDelivery) -> WebhookDelivery:
    delivery_attempt(delivery_id=str(delivery.pk))
    delivery.refresh_from_db()
    return delivery
