"""Stage 9, callbacks: keep webhooks, and deliver messages to them until they are taken or given up."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.commit import after_commit
from jobs.errors import DownloadFailed, PermissionDenied, UrlForbidden, UrlTooLong
from jobs.intake.fetch import Response, check_url, policy_from_settings, post_bytes
from jobs.models import Action, Job, Team, Webhook, WebhookDelivery
from jobs.teams.actor import Actor
from jobs.webhooks import messages
from jobs.work import queue
from segmentation.errors import InvalidParameter, MattingError

logger = logging.getLogger(__name__)

MAX_WEBHOOKS = 20
SLOW_AFTER_S = 2.0
_TASK = "jobs.webhooks.delivery.delivery_attempt"
_SLOW_FOR_S = 600
_BOTH_SECRETS_FOR = dt.timedelta(hours=24)
_RESEND_AFTER = dt.timedelta(seconds=30)
_KEPT_FOR = dt.timedelta(days=30)
_LEASE_MARGIN_S = 40.0
_GIVEN_UP = "given_up"
_JOB_DELETED = {"error_code": "job_deleted", "error_message": "The job was deleted, and its callback with it."}

Status = WebhookDelivery.Status


# Webhooks -------------------------------------------------------------------------------------------------------------


def webhook_create(*, actor: Actor, url: str, events: Sequence[str] = tuple(Webhook.Event.values)) -> Webhook:
    """Have `url` called at the team's `events`. Raises PermissionDenied, InvalidParameter and the guard's refusals."""
    _require_manager(actor)
    _check_address(url)
    _check_events(events)
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=actor.team.pk)
        if actor.team.webhooks.filter(kind=Webhook.Kind.ENDPOINT).count() >= MAX_WEBHOOKS:
            raise InvalidParameter(f"A team has at most {MAX_WEBHOOKS} webhooks.", field="url")
        webhook = Webhook.objects.create(
            team=actor.team, url=url, events=sorted(set(events)), secret=messages.new_secret(), created_by=actor.user
        )
        _audit(actor, webhook, after=_seen(webhook))
    return webhook


def webhook_update(
    *,
    actor: Actor,
    webhook: Webhook,
    url: str | None = None,
    events: Sequence[str] | None = None,
    is_enabled: bool | None = None,
) -> Webhook:
    """Change what is given. Switching on forgets why it was off; messages that wait still go to the old address."""
    _require_manager(actor)
    changes: dict[str, Any] = {}
    if url is not None:
        _check_address(url)
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
            _audit(actor, webhook, before=before, after=_seen(webhook))
    return webhook


def webhook_rotate(*, actor: Actor, webhook: Webhook) -> Webhook:
    """Give the webhook a new secret; for 24 hours messages carry a signature of the old one too."""
    _require_manager(actor)
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().get(pk=webhook.pk)
        webhook.previous_secret, webhook.secret = webhook.secret, messages.new_secret()
        webhook.previous_secret_until = timezone.now() + _BOTH_SECRETS_FOR
        webhook.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
        _audit(actor, webhook, after={"secret": "changed"})
    return webhook


def webhook_delete(*, actor: Actor, webhook: Webhook) -> None:
    """Forget a webhook with its deliveries."""
    _require_manager(actor)
    with transaction.atomic():
        before, pk = _seen(webhook), webhook.pk
        webhook.delete()
        webhook.pk = pk
        _audit(actor, webhook, before=before)


def callback_signer(*, team: Team) -> Webhook:
    """Give the row whose secret signs the callbacks that the team's jobs name; it is made when first needed."""
    signer, _ = Webhook.objects.get_or_create(
        team=team, kind=Webhook.Kind.CALLBACKS, defaults={"secret": messages.new_secret()}
    )
    return signer


# Messages -------------------------------------------------------------------------------------------------------------


def job_announce(*, job: Job) -> list[WebhookDelivery]:
    """Write the messages of a job that has just ended, in the transaction that ends it; they are sent by a worker.

    Only rows are written here: no network, no rendering, so telling others can neither slow nor break the work.
    """
    job = Job.objects.select_related("team").get(pk=job.pk)
    event = messages.event_of(job)
    listening = job.team.webhooks.filter(kind=Webhook.Kind.ENDPOINT, is_enabled=True)
    deliveries = [
        delivery_enqueue(webhook=webhook, event=event, job=job, payload=messages.job_payload(job))
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
    """Write one message and queue its first try with the commit. Without a payload the first try renders it."""
    now = timezone.now()
    delivery = WebhookDelivery.objects.create(
        webhook=webhook,
        job=job,
        event=event,
        message_id=message_id or messages.new_message_id(),
        url=url or webhook.url,
        payload=payload,
        next_try_at=now,
        enqueued_at=now,
        created_at=now,
    )
    after_commit(_queue, delivery.pk)
    return delivery


def delivery_replay(*, actor: Actor | None, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a message again under its own id, as a new row, so that the log keeps both. No actor means the operator."""
    if actor is not None:
        _require_manager(actor)
    is_endpoint = delivery.webhook.kind == Webhook.Kind.ENDPOINT
    with transaction.atomic():
        # Whoever deletes the job holds this lock: what they blanked must not come back with the copy.
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
    """Blank what a job's callbacks say, which may be the picture itself, and end those not yet taken.

    In the transaction that deletes the job. The team's webhooks stay as they are: their messages hold no picture.
    """
    callbacks = _callbacks_of(job)
    callbacks.exclude(status__in=WebhookDelivery.TERMINAL).update(
        status=Status.FAILED, next_try_at=None, finished_at=timezone.now(), **_JOB_DELETED
    )
    callbacks.update(payload=None)


def job_callbacks_renew(*, job: Job) -> None:
    """Blank what a job's callbacks say, so that the next try renders them from what is left of the job.

    In the transaction that deletes some of its pictures. Whoever is sending one right now loses it to the next try.
    """
    callbacks = _callbacks_of(job)
    callbacks.filter(status=Status.SENDING).update(status=Status.WAITING)
    callbacks.update(payload=None)


def _callbacks_of(job: Job) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(job=job, webhook__kind=Webhook.Kind.CALLBACKS)


def delivery_attempt(*, delivery_id: str, patiently: bool = False) -> None:
    """Try one delivery if it is due, and record what came of it. Runs in a worker; a message too many does nothing.

    A team one of whose receivers has kept us waiting of late is served `patiently`, by a worker of its own.
    """
    delivery = WebhookDelivery.objects.select_related("webhook").filter(pk=delivery_id).first()
    if delivery is None:
        return
    if not patiently and cache.get(_slow_key(delivery)):
        _queue(delivery.pk, patiently=True)
        return
    if not delivery.claim(lease_s=settings.MATTING_FETCH_TIMEOUT_S + _LEASE_MARGIN_S):
        return
    if delivery.attempt > len(messages.RETRY_DELAYS_S):
        delivery.finish(Status.FAILED, error_code=_GIVEN_UP, error_message="The last try's worker was lost.")
    elif not delivery.webhook.is_enabled:
        delivery.finish(Status.FAILED, error_code="webhook_disabled", error_message="The webhook is switched off.")
    elif delivery.payload is None and delivery.job_id is None:
        delivery.finish(Status.FAILED, **_JOB_DELETED)
    else:
        _try(delivery)


def deliveries_resend(*, limit: int = 200) -> int:
    """Queue what is due: planned tries, lost messages, tries whose worker died. Say how many. The sweeper calls it."""
    now = timezone.now()
    count = 0
    for pk in _due(now).order_by("next_try_at").values_list("pk", flat=True)[:limit]:
        # Several machines sweep; the one whose update counts sends the message.
        if _due(now).filter(pk=pk).update(enqueued_at=now) == 1:
            _queue(pk)
            count += 1
    return count


def deliveries_expire() -> int:
    """Delete the log of what ended more than 30 days ago; say how many rows."""
    old = WebhookDelivery.objects.filter(status__in=WebhookDelivery.TERMINAL, created_at__lt=timezone.now() - _KEPT_FOR)
    return old.delete()[0]


def _try(delivery: WebhookDelivery) -> None:
    try:
        if delivery.payload is None and not delivery.write(messages.callback_payload(delivery.job)):
            return  # the job, or a picture of it, was deleted while this was rendered
        response = _send(delivery)
    except (UrlForbidden, UrlTooLong) as error:
        # The guard's refusal is final: retrying it would let a forbidden host be probed for days.
        delivery.finish(Status.FAILED, **_outcome(error))
    except DownloadFailed as error:
        _retry(delivery, **_outcome(error))
    except Exception:
        logger.exception("delivery %s failed", delivery.pk)
        _retry(delivery, **_outcome(MattingError()))
    else:
        _record(delivery, response)


def _send(delivery: WebhookDelivery) -> Response:
    body = messages.body_of(delivery.payload)
    headers = messages.signed_headers(
        signing_secrets=delivery.webhook.signing_secrets(),
        message_id=delivery.message_id,
        timestamp_s=int(timezone.now().timestamp()),
        body=body,
    )
    started = time.monotonic()
    try:
        return post_bytes(delivery.url, body, headers, policy_from_settings("callback"))
    finally:
        if time.monotonic() - started > SLOW_AFTER_S:
            cache.set(_slow_key(delivery), True, _SLOW_FOR_S)


def _record(delivery: WebhookDelivery, response: Response) -> None:
    values = {
        "response_status": response.status,
        # PostgreSQL takes no NUL in text.
        "response_prefix": response.body_prefix.decode("utf-8", "replace").replace("\x00", ""),
        "elapsed_ms": response.elapsed_ms,
    }
    message = f"The receiver answered with status {response.status}."
    if 200 <= response.status < 300:
        delivery.finish(Status.SUCCEEDED, error_code="", error_message="", **values)
    elif response.status == 410:
        with transaction.atomic():
            delivery.finish(Status.FAILED, error_code="gone", error_message=message, **values)
            endpoint = Webhook.objects.filter(pk=delivery.webhook_id, kind=Webhook.Kind.ENDPOINT, is_enabled=True)
            if endpoint.update(is_enabled=False, disabled_reason="The receiver answered 410 Gone."):
                _audit(None, delivery.webhook, before={"is_enabled": True}, after={"is_enabled": False})
    else:
        _retry(delivery, error_code="receiver_status", error_message=message, **values)


def _retry(delivery: WebhookDelivery, **values: Any) -> None:
    if delivery.attempt >= len(messages.RETRY_DELAYS_S):
        delivery.finish(Status.FAILED, **values)
    else:
        delivery.postpone(delay_s=messages.RETRY_DELAYS_S[delivery.attempt], **values)


def _outcome(error: MattingError) -> dict[str, Any]:
    return {
        "error_code": error.code,
        "error_message": error.message[:500],
        "response_status": None,
        "response_prefix": "",
        "elapsed_ms": None,
    }


def _due(now: dt.datetime) -> QuerySet[WebhookDelivery]:
    unsent = Q(enqueued_at=None) | Q(enqueued_at__lt=now - _RESEND_AFTER)
    return WebhookDelivery.objects.exclude(status__in=WebhookDelivery.TERMINAL).filter(unsent, next_try_at__lte=now)


def _queue(delivery_id: object, *, patiently: bool = False) -> None:
    queue_name = "slow-webhooks" if patiently else "webhooks"
    queue.enqueue_task(_TASK, queue_name=queue_name, delivery_id=str(delivery_id), patiently=patiently)


def _slow_key(delivery: WebhookDelivery) -> str:
    return f"slow-receivers:{delivery.webhook.team_id}"


def _require_manager(actor: Actor) -> None:
    if not actor.is_manager:
        raise PermissionDenied("Webhooks are managed by the team's owners and admins, or with the scope 'admin'.")


def _audit(
    actor: Actor | None, webhook: Webhook, *, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> None:
    audit_append(action=Action.WEBHOOK_CHANGED, author=Author.of(actor), target=webhook, before=before, after=after)


def _seen(webhook: Webhook) -> dict[str, Any]:
    """Give what the audit trail keeps of a webhook; never a secret."""
    return {"url": webhook.url, "events": webhook.events, "is_enabled": webhook.is_enabled}


def _check_address(url: str) -> None:
    check_url(url, policy_from_settings("callback"), field="url")


def _check_events(events: Sequence[str]) -> None:
    if not events or set(events) - set(Webhook.Event.values):
        raise InvalidParameter(f"events: choose from {', '.join(Webhook.Event.values)}", field="events")
