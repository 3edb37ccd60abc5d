"""Tests that webhooks and callbacks announce the end of a job, and that a job ends even if the queue is unavailable."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import django_rq
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from standardwebhooks import Webhook as Receiver

from jobs.models import Job, Status, Webhook, WebhookDelivery
from jobs.webhooks import endpoints, payload
from jobs.webhooks.delivery import deliveries_resend
from jobs.work import queue
from jobs.work.attempts import image_claim, image_fail
from jobs.work.cancel import job_cancel
from segmentation.errors import ImageUnreadable
from tests.cast import Person
from tests.jobs.site import Site, answer
from tests.webhooks.clock import Clock
from tests.webhooks.messages import PUBLIC_URL, attempt, make_job


def fail_job(person: Person, job: Job) -> None:
    image = image_claim(image_id=str(job.images.get().pk), worker="worker-1")
    image_fail(image=image, error=ImageUnreadable())


def test_a_failed_job_is_announced_with_its_code(alice: Person) -> None:
    endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job = make_job(alice)
    fail_job(alice, job)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.event, delivery.url, delivery.job_id) == ("job.failed", PUBLIC_URL, job.pk)
    assert delivery.payload["type"] == "job.failed"
    data = delivery.payload["data"]
    assert (data["id"], data["status"], data["images_failed"]) == (str(job.pk), "failed", 1)
    assert data["error"] == {"code": "image_unreadable", "detail": ImageUnreadable.public_message}
    assert delivery.payload["timestamp"] == data["finished_at"]


def test_a_cancelled_job_is_announced(alice: Person) -> None:
    endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job_cancel(actor=alice.actor, job=make_job(alice))
    assert WebhookDelivery.objects.get().event == "job.canceled"


def test_a_job_of_which_a_picture_succeeded_is_announced_as_succeeded_once(alice: Person) -> None:
    endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job = make_job(alice, images=2)
    job.images.filter(position=0).update(status=Status.SUCCEEDED)
    job_cancel(actor=alice.actor, job=job)
    assert [delivery.event for delivery in WebhookDelivery.objects.all()] == ["job.succeeded"]


def test_only_chosen_events_of_the_own_team_are_announced(alice: Person, charlie: Person) -> None:
    endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL, events=["job.failed"])
    endpoints.webhook_create(actor=charlie.actor, url=PUBLIC_URL)
    job_cancel(actor=alice.actor, job=make_job(alice))
    assert not WebhookDelivery.objects.exists()
    fail_job(alice, make_job(alice))
    assert [delivery.webhook.team for delivery in WebhookDelivery.objects.all()] == [alice.team]


def test_a_jobs_own_callback_is_signed_with_the_teams_callback_secret(
    alice: Person, receiver: Callable[..., Site]
) -> None:
    site = receiver()
    for _ in range(2):
        job_cancel(actor=alice.actor, job=make_job(alice, callback_url=site.url("/hook")))
    for delivery in WebhookDelivery.objects.all():
        assert attempt(delivery).status == "succeeded"
    secret = endpoints.callback_signer(team=alice.team).secret
    bodies = [Receiver(secret).verify(body, headers) for _, _, headers, body in site.requests]
    assert [body["type"] for body in bodies] == ["job.canceled", "job.canceled"]
    assert Webhook.objects.count() == 1


def test_a_callback_speaks_its_dialects_words_and_keeps_them_for_retries(
    alice: Person, receiver: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    site = receiver(answer(b"", status=500))
    rendered: list[str] = []

    def callback_payload(job: Job) -> dict[str, Any]:
        rendered.append(str(job.pk))
        return {"data": {"task_id": str(job.pk), "call": len(rendered)}}

    monkeypatch.setitem(payload._callback_payloads, "sample", callback_payload)
    job = make_job(alice, callback_url=site.url("/hook"))
    Job.objects.filter(pk=job.pk).update(dialect="sample")
    job_cancel(actor=alice.actor, job=job)
    delivery = attempt(WebhookDelivery.objects.get())
    clock.advance(5)
    attempt(delivery)
    bodies = [json.loads(body) for _, _, _, body in site.requests]
    assert bodies == [{"data": {"task_id": str(job.pk), "call": 1}}] * 2


def test_a_callback_of_a_door_without_words_of_its_own_gets_the_native_ones(alice: Person) -> None:
    job = make_job(alice)
    Job.objects.filter(pk=job.pk).update(dialect=Job.Dialect.COMMAND)
    job_cancel(actor=alice.actor, job=job)
    job.refresh_from_db()
    assert payload.callback_payload(job) == payload.job_payload(job)


def test_a_job_ends_and_its_message_is_kept_when_the_queue_is_away(
    alice: Person,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
    clock: Clock,
) -> None:
    endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job = make_job(alice)

    def away(*args: object, **kwargs: object) -> None:
        raise RedisConnectionError

    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr(queue, "enqueue_task", away)
        job_cancel(actor=alice.actor, job=job)
    job.refresh_from_db()
    assert job.status == "canceled"
    clock.advance(31)
    assert deliveries_resend() == 1


def test_a_message_goes_through_the_queue_to_the_receiver(
    alice: Person, receiver: Callable[..., Site], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    site = receiver()
    endpoints.webhook_create(actor=alice.actor, url=site.url("/hook"))
    with django_capture_on_commit_callbacks(execute=True):
        job_cancel(actor=alice.actor, job=make_job(alice))
    (message,) = django_rq.get_queue("webhooks").jobs
    message.perform()
    assert site.paths == ["/hook"]
    assert WebhookDelivery.objects.get().status == "succeeded"
