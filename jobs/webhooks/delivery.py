"""Delivery of messages. A message is sent again until the receiver accepts it or no attempt remains.

Only worker processes use this module: the processes that send deliveries, and the process for recurring tasks.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.errors import DownloadFailed, UrlForbidden, UrlTooLong
from jobs.intake.fetch import Response, policy_from_settings, post_bytes
from jobs.models import Webhook, WebhookDelivery
from jobs.webhooks.endpoints import webhook_audit
from jobs.webhooks.outbox import DELIVERY_ATTEMPT, JOB_DELETED, delivery_send
from jobs.webhooks.payload import body_of, callback_payload
from jobs.webhooks.signing import signed_headers
from jobs.work import queue
from jobs.work.leases import LeasedWork, sweep
from jobs.work.registry import runs
from segmentation.errors import MattingError

logger = logging.getLogger(__name__)

# The delay before each attempt in seconds: none, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
RETRY_DELAYS_S = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
SLOW_AFTER_S = 2.0
_SLOW_FOR_S = 600
_KEPT_FOR = dt.timedelta(days=30)
_LEASE_MARGIN_S = 40.0

Status = WebhookDelivery.Status


@runs(DELIVERY_ATTEMPT)
def delivery_attempt(*, delivery_id: str, patiently: bool = False) -> None:
    """Send the delivery with this id if it is due, and record the result.

    A repeated queue message has no effect. If a receiver of the team was slow recently, the delivery is passed to a
    separate worker for slow receivers.
    patiently: True if this process is that separate worker.
    """
    delivery = WebhookDelivery.objects.select_related("webhook").filter(pk=delivery_id).first()
    if delivery is None:
        return
    if not patiently and cache.get(_slow_key(delivery)):
        delivery_send(delivery.pk, patiently=True)
        return
    if not delivery.claim(lease_s=settings.MATTING_FETCH_TIMEOUT_S + _LEASE_MARGIN_S):
        return
    if not delivery.webhook.is_enabled:
        delivery.finish(Status.FAILED, error_code="webhook_disabled", error_message="The webhook is switched off.")
        return
    payload = _payload_of(delivery)
    if payload is not None:
        _try(delivery, payload)


def deliveries_resend(*, limit: int = 200) -> int:
    """Queue the deliveries that are due or whose worker died, and return their number.

    A delivery is due when the time of its retry has come, or when its queue message was lost. A background thread
    (`jobs.running.upkeep`) calls this function regularly.
    limit: the largest number of deliveries with a dead worker, and also the largest number of due deliveries.
    """
    return sweep(_Deliveries(), limit=limit)


def deliveries_expire() -> int:
    """Delete the ended deliveries that were created more than 30 days ago, and return the number of deleted rows."""
    old = WebhookDelivery.objects.filter(status__in=WebhookDelivery.TERMINAL, created_at__lt=timezone.now() - _KEPT_FOR)
    return old.delete()[0]


class _Deliveries(LeasedWork[WebhookDelivery]):
    max_strikes = len(RETRY_DELAYS_S)

    def rows(self) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.exclude(status__in=WebhookDelivery.TERMINAL).order_by("next_try_at")

    def due(self) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.claimable().order_by("next_try_at")

    def sent_ids(self) -> set[str]:
        return queue.waiting_ids(queue.DELIVERY_QUEUES)

    def send(self, rows: Sequence[WebhookDelivery]) -> int:
        for delivery in rows:
            delivery_send(delivery.pk)
        return len(rows)

    def give_up(self, row: WebhookDelivery) -> bool:
        return row.finish(Status.FAILED, error_code="given_up", error_message="The last try's worker was lost.")


def _payload_of(delivery: WebhookDelivery) -> dict[str, Any] | None:
    """Return the payload of a delivery. If the row has no payload, build and store the payload first.

    Return None if the delivery cannot be sent now, because its job is deleted, the payload cannot be built, or the
    lease is lost.
    """
    if delivery.payload is not None:
        return delivery.payload
    if delivery.job is None:
        delivery.finish(Status.FAILED, **JOB_DELETED)
        return None
    try:
        payload = callback_payload(delivery.job)
    except Exception:
        logger.exception("the payload of delivery %s could not be built", delivery.pk)
        _retry(delivery, **_outcome(MattingError()))
        return None
    # False when the job, or one of its pictures, was deleted while the payload was built.
    return payload if delivery.write(payload) else None


def _try(delivery: WebhookDelivery, payload: dict[str, Any]) -> None:
    try:
        response = _send(delivery, payload)
    except (UrlForbidden, UrlTooLong) as error:
        # A forbidden URL is not retried, because the retries would test a forbidden host for days.
        delivery.finish(Status.FAILED, **_outcome(error))
    except DownloadFailed as error:
        _retry(delivery, **_outcome(error))
    except Exception:
        logger.exception("delivery %s failed", delivery.pk)
        _retry(delivery, **_outcome(MattingError()))
    else:
        _record(delivery, response)


def _send(delivery: WebhookDelivery, payload: dict[str, Any]) -> Response:
    body = body_of(payload)
    headers = signed_headers(
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
        # PostgreSQL rejects NUL characters in text.
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
                webhook_audit(None, delivery.webhook, before={"is_enabled": True}, after={"is_enabled": False})
    else:
        _retry(delivery, error_code="receiver_status", error_message=message, **values)


def _retry(delivery: WebhookDelivery, **values: Any) -> None:
    if delivery.strikes >= len(RETRY_DELAYS_S):
        delivery.finish(Status.FAILED, **values)
    else:
        delivery.release(delay_s=RETRY_DELAYS_S[delivery.strikes], **values)


def _outcome(error: MattingError) -> dict[str, Any]:
    return {
        "error_code": error.code,
        "error_message": error.message[:500],
        "response_status": None,
        "response_prefix": "",
        "elapsed_ms": None,
    }


def _slow_key(delivery: WebhookDelivery) -> str:
    return f"slow-receivers:{delivery.webhook.team_id}"
