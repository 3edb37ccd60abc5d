"""Messages to webhooks and callbacks: write them, send them again, and clear callback payloads of deleted jobs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.commit import after_commit
from jobs.models import Job, Webhook, WebhookDelivery
from jobs.teams.actor import Actor
from jobs.webhooks.endpoints import callback_signer, require_manager
from jobs.webhooks.payload import TEST_EVENT, event_of, job_payload, payload_of_test
from jobs.webhooks.signing import new_message_id
from jobs.work import queue
from jobs.work.registry import Task

DELIVERY_ATTEMPT = Task("delivery_attempt")
JOB_DELETED = {"error_code": "job_deleted", "error_message": "The job was deleted, and its callback with it."}

Status = WebhookDelivery.Status


def job_announce(*, job: Job) -> list[WebhookDelivery]:
    """Write the messages about an ended job, and return their rows. A worker sends the messages later.

    Call this function in the transaction that ends the job. The function only writes rows, so neither the network nor
    an error in a payload can delay or prevent the end of the job.
    """
    job = Job.objects.select_related("team").get(pk=job.pk)
    event = event_of(job)
    listening = job.team.webhooks.filter(kind=Webhook.Kind.ENDPOINT, is_enabled=True)
    deliveries = [
        delivery_enqueue(webhook=webhook, event=event, job=job, payload=job_payload(job))
        for webhook in listening
        if event in webhook.events
    ]
    if job.callback_url:
        signer = callback_signer(team=job.team)
        deliveries.append(delivery_enqueue(webhook=signer, event=event, job=job, url=job.callback_url))
    return deliveries


def delivery_enqueue(
    *,
    webhook: Webhook,
    event: str,
    job: Job | None = None,
    url: str = "",
    payload: dict[str, Any] | None = None,
    message_id: str = "",
) -> WebhookDelivery:
    """Write one message, queue its first attempt after the commit, and return its row.

    job: the job that the message is about; None means no job.
    url: the URL to which the message is sent; empty means the URL of the webhook.
    payload: the content; None means that the first attempt builds it.
    message_id: the id of an earlier message that is sent again; empty means a new id.
    """
    now = timezone.now()
    delivery = WebhookDelivery.objects.create(
        webhook=webhook,
        job=job,
        event=event,
        message_id=message_id or new_message_id(),
        url=url or webhook.url,
        payload=payload,
        next_try_at=now,
        created_at=now,
    )
    after_commit(delivery_send, delivery.pk)
    return delivery


def delivery_send(delivery_id: UUID, *, patiently: bool = False) -> None:
    """Queue one attempt to send a delivery.

    patiently: if True, use the queue of the worker for slow receivers.
    """
    queue.enqueue_task(
        DELIVERY_ATTEMPT,
        queue_name="slow-webhooks" if patiently else "webhooks",
        row_id=delivery_id,
        delivery_id=str(delivery_id),
        patiently=patiently,
    )


def webhook_test(*, actor: Actor, webhook: Webhook) -> WebhookDelivery:
    """Queue a test message to a webhook, and return the row of the message.

    The message is sent regardless of which events the webhook subscribes to. Raise PermissionDenied if the actor may
    not manage webhooks.
    """
    require_manager(actor)
    with transaction.atomic():
        return delivery_enqueue(webhook=webhook, event=TEST_EVENT, payload=payload_of_test(webhook))


def delivery_replay(*, actor: Actor | None, delivery: WebhookDelivery) -> WebhookDelivery:
    """Queue a webhook message to be sent again, and return the new delivery.

    The new delivery has the same message id. The earlier delivery stays in the log.
    actor: the user or API key that asks for this; None means the operator, whose permission is not checked.
    Raise PermissionDenied if the actor may not manage webhooks.
    """
    if actor is not None:
        require_manager(actor)
    is_endpoint = delivery.webhook.kind == Webhook.Kind.ENDPOINT
    with transaction.atomic():
        # The deletion of the job holds this lock, so that the copy cannot restore the payload that it clears.
        if delivery.job_id is not None:
            Job.objects.select_for_update().filter(pk=delivery.job_id).first()
        delivery.refresh_from_db(fields=["job", "payload"])
        return delivery_enqueue(
            webhook=delivery.webhook,
            event=delivery.event,
            job=delivery.job,
            url=delivery.webhook.url if is_endpoint else delivery.url,
            payload=delivery.payload,
            message_id=delivery.message_id,
        )


def job_callbacks_forget(*, job: Job) -> None:
    """Clear the payloads of a job's callbacks, and end the callbacks that are not delivered yet.

    A payload may contain the picture. Call this function inside the transaction that deletes the job. Messages to the
    team's webhooks are kept, because they contain no picture.
    """
    callbacks = _callbacks_of(job)
    callbacks.exclude(status__in=WebhookDelivery.TERMINAL).update(
        status=Status.FAILED, next_try_at=None, leased_until=None, finished_at=timezone.now(), **JOB_DELETED
    )
    callbacks.update(payload=None)


def job_callbacks_renew(*, job: Job) -> None:
    """Clear the payloads of a job's callbacks, so that the next attempt builds them without the deleted pictures.

    Call this function inside the transaction that deletes some of the pictures. An attempt in progress loses its lease.
    """
    callbacks = _callbacks_of(job)
    callbacks.filter(status=Status.SENDING).update(status=Status.WAITING, leased_until=None)
    callbacks.update(payload=None)


def _callbacks_of(job: Job) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(job=job, webhook__kind=Webhook.Kind.CALLBACKS)
