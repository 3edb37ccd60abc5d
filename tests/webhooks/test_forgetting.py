"""Tests that the callbacks of a deleted job are cleared, because a callback may contain the picture."""

from __future__ import annotations

import base64

import pytest

from jobs.errors import DownloadFailed
from jobs.intake.sources import UrlSource
from jobs.models import Job, JobImage, Webhook, WebhookDelivery
from jobs.webhooks import delivery as sending
from jobs.webhooks import endpoints, outbox, payload
from jobs.work.removal import images_delete
from jobs.work.retention import job_purge
from jobs.work.submission import Door, job_submit
from segmentation.options import CutoutOptions
from tests.cast import Person
from tests.quota.actions import claim, succeed
from tests.webhooks.clock import Clock
from tests.webhooks.messages import PUBLIC_URL, attempt

PICTURE = base64.b64encode(b"x").decode()  # the content of every file of tests.quota.actions.succeed


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list that records the sent messages. No message reaches its receiver."""
    bodies: list[bytes] = []

    def post(url: str, body: bytes, *rest: object) -> None:
        bodies.append(body)
        raise DownloadFailed("The server could not be reached.")

    monkeypatch.setattr(sending, "post_bytes", post)
    return bodies


@pytest.fixture
def callback(alice: Person, sent: list[bytes], monkeypatch: pytest.MonkeyPatch) -> WebhookDelivery:
    """Return a callback whose content includes the picture. Its first attempt has failed."""
    monkeypatch.setitem(payload._callback_payloads, "sample", lambda job: {"data": {"image": PICTURE}})
    job = job_submit(
        actor=alice.actor,
        door=Door(dialect="sample", external_id="task-1", callback_url=PUBLIC_URL),
        options=CutoutOptions(),
        sources=[UrlSource("https://pictures.example/a.jpg")],
    )
    succeed(claim(job.images.get()))
    JobImage.objects.update(foreground=[0, 0, 1, 1])
    delivery = attempt(WebhookDelivery.objects.get())
    assert delivery.payload["data"]["image"] == PICTURE
    return delivery


def test_the_callbacks_of_a_deleted_job_keep_nothing_of_it_and_are_sent_no_more(
    alice: Person, callback: WebhookDelivery, sent: list[bytes], clock: Clock
) -> None:
    job_purge(actor=alice.actor, jobs=[Job.objects.get()])
    clock.advance(3600)
    callback = attempt(callback)

    assert (callback.status, callback.error_code, callback.payload) == ("failed", "job_deleted", None)
    assert len(sent) == 1


def test_a_callback_of_a_deleted_job_that_is_sent_again_says_nothing(
    alice: Person, callback: WebhookDelivery, sent: list[bytes]
) -> None:
    stale = WebhookDelivery.objects.select_related("job").get()
    job_purge(actor=alice.actor, jobs=[Job.objects.get()])

    again = attempt(outbox.delivery_replay(actor=alice.actor, delivery=stale))

    assert (again.status, again.error_code, again.payload) == ("failed", "job_deleted", None)
    assert len(sent) == 1


def test_a_job_deleted_while_its_callback_is_rendered_is_neither_kept_nor_sent(
    alice: Person, callback: WebhookDelivery, sent: list[bytes], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    WebhookDelivery.objects.update(payload=None)
    clock.advance(3600)

    def render(job: Job) -> dict[str, str]:
        job_purge(actor=alice.actor, jobs=[Job.objects.get()])
        return {"image": PICTURE}

    monkeypatch.setattr(sending, "callback_payload", render)
    callback = attempt(callback)

    assert (callback.status, callback.payload, len(sent)) == ("failed", None, 1)


def test_a_callback_is_written_again_from_the_pictures_that_are_left(
    alice: Person, sent: list[bytes], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "callback_payload", lambda job: {"pictures": job.images.count()})
    job = job_submit(
        actor=alice.actor,
        door=Door(dialect="native", callback_url=PUBLIC_URL),
        options=CutoutOptions(),
        sources=[UrlSource(f"https://pictures.example/{number}.jpg") for number in range(2)],
    )
    for image in job.images.all():
        succeed(claim(image))
    callback = attempt(WebhookDelivery.objects.get())
    assert callback.payload == {"pictures": 2}

    images_delete(actor=alice.actor, images=list(job.images.select_related("job")[:1]))
    callback.refresh_from_db()
    assert callback.payload is None
    clock.advance(3600)

    assert attempt(callback).payload == {"pictures": 1}


def test_a_webhook_hears_of_a_job_that_is_deleted_before_the_message_is_taken(alice: Person, sent: list[bytes]) -> None:
    endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job = job_submit(
        actor=alice.actor,
        door=Door(dialect="native"),
        options=CutoutOptions(),
        sources=[UrlSource("https://pictures.example/a.jpg")],
    )
    succeed(claim(job.images.get()))
    job_purge(actor=alice.actor, jobs=[Job.objects.get()])

    delivery = WebhookDelivery.objects.get(webhook__kind=Webhook.Kind.ENDPOINT)
    assert attempt(delivery).payload["data"]["id"] == str(job.pk)
    assert len(sent) == 1
