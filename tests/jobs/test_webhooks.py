"""Stage 9, callbacks: messages are signed and tried as the standard says, logged, and never hold up the work."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import django_rq
import pytest
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisConnectionError
from standardwebhooks import Webhook as Receiver
from standardwebhooks import WebhookVerificationError

from jobs import queue, webhooks
from jobs.actor import Actor
from jobs.errors import DownloadFailed, PermissionDenied, UrlForbidden, UrlTooLong
from jobs.models import Action, AuditEntry, Job, JobImage, Status, Webhook, WebhookDelivery
from jobs.services import webhooks as services
from jobs.services.lifecycle import image_claim, image_fail, job_cancel
from segmentation.errors import ImageUnreadable, InvalidParameter
from tests.cast import Person
from tests.jobs.site import Answer, Site, answer, endless, redirect

Serve = Callable[..., Site]
PUBLIC_URL = "https://receiver.example/hook"


class Clock:
    """Stand in for django.utils.timezone.now, at the real time to begin with."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def receiver(serve: Serve, settings: Settings) -> Callable[[Answer], Site]:
    """Serve one answer at /hook of a local site that the operator allows."""

    def start(hook: Answer = answer(b"thanks")) -> Site:  # noqa: B008  the answer is a constant function
        site = serve({"/hook": hook, "/other": answer()})
        settings.MATTING_FETCH_ALLOW = [f"127.0.0.1:{site.port}"]
        return site

    return start


def make_job(person: Person, *, images: int = 1, **values: Any) -> Job:
    job = Job.objects.create(
        team=person.team, user=person.user, dialect=Job.Dialect.NATIVE, options={}, images_total=images, **values
    )
    JobImage.objects.bulk_create(JobImage(job=job, position=position) for position in range(images))
    return job


def make_delivery(person: Person, url: str) -> WebhookDelivery:
    webhook = Webhook.objects.create(
        team=person.team, url=url, events=Webhook.Event.values, secret=webhooks.new_secret()
    )
    payload = {"type": "job.succeeded"}
    return services.delivery_enqueue(webhook=webhook, event="job.succeeded", payload=payload)


def attempt(delivery: WebhookDelivery) -> WebhookDelivery:
    services.delivery_attempt(delivery_id=str(delivery.pk))
    delivery.refresh_from_db()
    return delivery


# Signatures -----------------------------------------------------------------------------------------------------------


def test_a_known_message_gets_the_known_signature() -> None:
    headers = webhooks.signed_headers(
        signing_secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_a_secret_carries_the_standards_mark_and_enough_chance() -> None:
    first, second = webhooks.new_secret(), webhooks.new_secret()
    assert first.startswith("whsec_")
    assert first != second
    assert len(first) == len("whsec_") + 44


def test_a_receivers_own_library_verifies_a_delivered_message(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    assert attempt(delivery).status == "succeeded"
    _, _, headers, body = site.requests[0]
    assert Receiver(delivery.webhook.secret).verify(body, headers) == {"type": "job.succeeded"}
    assert headers["webhook-id"] == delivery.message_id
    assert headers["Content-Type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Receiver(delivery.webhook.secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Receiver(webhooks.new_secret()).verify(body, headers)


def test_while_a_secret_is_changed_both_verify_and_a_day_later_only_the_new_one(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    old = delivery.webhook.secret
    new = services.webhook_rotate(actor=alice.actor, webhook=delivery.webhook).secret
    attempt(delivery)
    _, _, headers, body = site.requests[0]
    assert Receiver(old).verify(body, headers) == Receiver(new).verify(body, headers)
    clock.advance(24 * 3600 + 1)
    assert Webhook.objects.get(pk=delivery.webhook_id).signing_secrets() == [new]


def test_text_in_any_script_is_signed_as_it_is_sent(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    WebhookDelivery.objects.update(payload={"name": "图片 ✂"})
    attempt(delivery)
    _, _, headers, body = site.requests[0]
    assert Receiver(delivery.webhook.secret).verify(body, headers) == {"name": "图片 ✂"}


# Outcomes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_status_of_two_hundred_and_something_is_a_success(
    status: int, alice: Person, receiver: Callable[..., Site]
) -> None:
    site = receiver(answer(b"", status=status))
    delivery = attempt(make_delivery(alice, site.url("/hook")))
    assert (delivery.status, delivery.response_status, delivery.attempt) == ("succeeded", status, 1)
    assert delivery.finished_at is not None
    assert delivery.next_try_at is None


@pytest.mark.parametrize("status", [304, 400, 401, 404, 429, 500, 503])
def test_any_other_status_is_tried_again(status: int, alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver(answer(b"no", status=status))
    delivery = attempt(make_delivery(alice, site.url("/hook")))
    assert (delivery.status, delivery.response_status, delivery.error_code) == ("waiting", status, "receiver_status")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int, alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver(redirect("/other", status))
    delivery = attempt(make_delivery(alice, site.url("/hook")))
    assert (delivery.status, delivery.response_status) == ("waiting", status)
    assert site.paths == ["/hook"]


def test_tries_follow_the_standards_schedule_and_end_with_it(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    site = receiver(answer(b"", status=500))
    delivery = make_delivery(alice, site.url("/hook"))
    delays_s = []
    while not attempt(delivery).is_terminal:
        delay_s = (delivery.next_try_at - delivery.tried_at).total_seconds()
        delays_s.append(delay_s)
        clock.advance(delay_s)
    assert delays_s == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert (delivery.status, delivery.attempt, len(site.requests)) == ("failed", 10, 10)
    assert len({headers["webhook-id"] for _, _, headers, _ in site.requests}) == 1


def test_an_address_that_does_not_answer_is_tried_again(alice: Person, settings: Settings) -> None:
    settings.MATTING_FETCH_ALLOW = ["127.0.0.1:1"]
    delivery = attempt(make_delivery(alice, "http://127.0.0.1:1/hook"))
    assert (delivery.status, delivery.error_code) == ("waiting", DownloadFailed.code)
    assert delivery.response_status is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://10.0.0.1/hook", UrlForbidden.code),
        ("http://169.254.169.254/latest", UrlForbidden.code),
        ("http://localhost./hook", UrlForbidden.code),
        ("https://receiver.example/" + "a" * 2048, UrlTooLong.code),
    ],
)
def test_the_guards_refusal_is_never_tried_again(url: str, code: str, alice: Person) -> None:
    delivery = make_delivery(alice, "https://receiver.example/")
    WebhookDelivery.objects.update(url=url)
    assert (attempt(delivery).status, delivery.error_code, delivery.attempt) == ("failed", code, 1)


def test_gone_switches_the_webhook_off(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver(answer(b"", status=410))
    delivery = attempt(make_delivery(alice, site.url("/hook")))
    webhook = Webhook.objects.get()
    assert (delivery.status, webhook.is_enabled) == ("failed", False)
    assert "410" in webhook.disabled_reason
    job_cancel(actor=alice.actor, job=make_job(alice))
    assert WebhookDelivery.objects.count() == 1


def test_gone_for_one_jobs_callback_leaves_other_callbacks_alone(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver(answer(b"", status=410))
    job_cancel(actor=alice.actor, job=make_job(alice, callback_url=site.url("/hook")))
    delivery = attempt(WebhookDelivery.objects.get())
    assert (delivery.status, delivery.webhook.is_enabled) == ("failed", True)


def test_a_message_to_a_webhook_switched_off_meanwhile_is_not_sent(
    alice: Person, receiver: Callable[..., Site]
) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    services.webhook_update(actor=alice.actor, webhook=delivery.webhook, is_enabled=False)
    assert (attempt(delivery).status, delivery.error_code) == ("failed", "webhook_disabled")
    assert site.requests == []


def test_the_log_keeps_the_start_of_the_answer_without_nul(alice: Person, receiver: Callable[..., Site]) -> None:
    delivery = attempt(make_delivery(alice, receiver(answer(b"a\x00b\xff")).url("/hook")))
    assert delivery.response_prefix == "ab\ufffd"
    delivery = attempt(make_delivery(alice, receiver(endless).url("/hook")))
    assert (delivery.status, len(delivery.response_prefix)) == ("succeeded", 0)


def test_an_unexpected_fault_is_logged_as_internal_and_tried_again(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(services, "post_bytes", fail)
    delivery = attempt(make_delivery(alice, PUBLIC_URL))
    assert (delivery.status, delivery.error_code) == ("waiting", "internal")
    assert "secret detail" not in delivery.error_message


# Once and only once ---------------------------------------------------------------------------------------------------


def test_a_message_delivered_twice_by_the_queue_is_sent_once(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    attempt(delivery)
    attempt(delivery)
    assert len(site.requests) == 1


def test_a_planned_retry_is_not_tried_before_its_time(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    site = receiver(answer(b"", status=500))
    delivery = attempt(make_delivery(alice, site.url("/hook")))
    clock.advance(4.9)
    assert attempt(delivery).attempt == 1
    clock.advance(0.1)
    assert attempt(delivery).attempt == 2


def test_a_delivery_in_another_workers_hands_is_left_alone(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    assert WebhookDelivery.objects.get(pk=delivery.pk).claim(lease_s=60)
    assert attempt(delivery).status == "sending"
    assert site.requests == []


def test_a_lost_claim_writes_nothing(alice: Person, clock: Clock) -> None:
    delivery = make_delivery(alice, PUBLIC_URL)
    slow, quick = WebhookDelivery.objects.get(), WebhookDelivery.objects.get()
    assert slow.claim(lease_s=60)
    clock.advance(61)
    assert quick.claim(lease_s=60)
    assert not slow.finish(WebhookDelivery.Status.FAILED, error_code="late")
    assert not slow.postpone(delay_s=5)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt, delivery.error_code) == ("sending", 2, "")


def test_a_delivery_whose_workers_all_died_is_given_up(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    WebhookDelivery.objects.update(attempt=10)
    assert (attempt(delivery).status, delivery.error_code) == ("failed", "given_up")
    assert site.requests == []


# The sweeper ----------------------------------------------------------------------------------------------------------


def queued_ids() -> list[str]:
    return [message.kwargs["delivery_id"] for message in django_rq.get_queue("webhooks").jobs]


def test_the_sweeper_queues_a_retry_when_it_is_due_and_only_once(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    delivery = attempt(make_delivery(alice, receiver(answer(b"", status=500)).url("/hook")))
    assert services.deliveries_resend() == 0
    clock.advance(5)
    assert services.deliveries_resend() == 1
    assert services.deliveries_resend() == 0
    assert queued_ids() == [str(delivery.pk)]


def test_a_message_that_the_queue_lost_is_sent_again(alice: Person, clock: Clock) -> None:
    delivery = make_delivery(alice, PUBLIC_URL)
    assert services.deliveries_resend() == 0
    clock.advance(31)
    assert services.deliveries_resend() == 1
    assert queued_ids() == [str(delivery.pk)]


def test_a_try_whose_worker_died_is_queued_again_when_its_lease_is_over(
    alice: Person, clock: Clock, settings: Settings
) -> None:
    delivery = make_delivery(alice, PUBLIC_URL)
    assert delivery.claim(lease_s=60)
    clock.advance(59)
    assert services.deliveries_resend() == 0
    clock.advance(2)
    assert services.deliveries_resend() == 1


def test_what_has_ended_is_never_queued_again_and_leaves_the_log_after_a_month(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    attempt(make_delivery(alice, receiver().url("/hook")))
    waiting = make_delivery(alice, PUBLIC_URL)
    clock.advance(29 * 86400)
    assert services.deliveries_resend() == 1
    assert services.deliveries_expire() == 0
    clock.advance(2 * 86400)
    assert services.deliveries_expire() == 1
    assert list(WebhookDelivery.objects.all()) == [waiting]


# The end of a job -----------------------------------------------------------------------------------------------------


def fail_job(person: Person, job: Job) -> None:
    image = image_claim(image_id=str(job.images.get().pk), worker="worker-1")
    image_fail(image=image, error=ImageUnreadable())


def test_a_failed_job_is_announced_with_its_code(alice: Person) -> None:
    services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
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
    services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job_cancel(actor=alice.actor, job=make_job(alice))
    assert WebhookDelivery.objects.get().event == "job.canceled"


def test_a_job_of_which_a_picture_succeeded_is_announced_as_succeeded_once(alice: Person) -> None:
    services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job = make_job(alice, images=2)
    job.images.filter(position=0).update(status=Status.SUCCEEDED)
    job_cancel(actor=alice.actor, job=job)
    assert [delivery.event for delivery in WebhookDelivery.objects.all()] == ["job.succeeded"]


def test_only_chosen_events_of_the_own_team_are_announced(alice: Person, charlie: Person) -> None:
    services.webhook_create(actor=alice.actor, url=PUBLIC_URL, events=["job.failed"])
    services.webhook_create(actor=charlie.actor, url=PUBLIC_URL)
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
    secret = services.callback_signer(team=alice.team).secret
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

    render = SimpleNamespace(callback_payload=callback_payload)
    monkeypatch.setitem(sys.modules, "jobs.api.picwish.render", render)
    job = make_job(alice, callback_url=site.url("/hook"))
    Job.objects.filter(pk=job.pk).update(dialect=Job.Dialect.PICWISH)
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
    assert webhooks.callback_payload(job) == webhooks.job_payload(job)


def test_a_job_ends_and_its_message_is_kept_when_the_queue_is_away(
    alice: Person,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
    clock: Clock,
) -> None:
    services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job = make_job(alice)

    def away(*args: object, **kwargs: object) -> None:
        raise RedisConnectionError

    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr(queue, "enqueue_task", away)
        job_cancel(actor=alice.actor, job=job)
    job.refresh_from_db()
    assert job.status == "canceled"
    clock.advance(31)
    assert services.deliveries_resend() == 1


def test_a_message_goes_through_the_queue_to_the_receiver(
    alice: Person, receiver: Callable[..., Site], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    site = receiver()
    services.webhook_create(actor=alice.actor, url=site.url("/hook"))
    with django_capture_on_commit_callbacks(execute=True):
        job_cancel(actor=alice.actor, job=make_job(alice))
    (message,) = django_rq.get_queue("webhooks").jobs
    message.perform()
    assert site.paths == ["/hook"]
    assert WebhookDelivery.objects.get().status == "succeeded"


# Managing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://localhost/", "ftp://receiver.example/", "https://a@b.example/"]
)
def test_a_webhook_to_a_forbidden_address_is_refused_at_once(url: str, alice: Person) -> None:
    with pytest.raises(UrlForbidden) as refusal:
        services.webhook_create(actor=alice.actor, url=url)
    assert refusal.value.field == "url"
    webhook = services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    with pytest.raises(UrlForbidden):
        services.webhook_update(actor=alice.actor, webhook=webhook, url=url)


@pytest.mark.parametrize("events", [[], ["job.started"], ["job.failed", "*"]])
def test_events_that_do_not_exist_are_refused(events: list[str], alice: Person) -> None:
    with pytest.raises(InvalidParameter):
        services.webhook_create(actor=alice.actor, url=PUBLIC_URL, events=events)


def test_a_team_has_a_bounded_number_of_webhooks(alice: Person) -> None:
    for _ in range(services.MAX_WEBHOOKS):
        services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    with pytest.raises(InvalidParameter):
        services.webhook_create(actor=alice.actor, url=PUBLIC_URL)


def test_a_plain_member_or_a_key_without_the_scope_manages_nothing(alice: Person, bob: Person) -> None:
    webhook = services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    delivery = services.delivery_enqueue(webhook=webhook, event="job.failed", payload={})
    alice.key.scopes = ["submit", "read"]
    for actor in (bob.actor, Actor(team=alice.team, key=alice.key)):
        for deed in (
            lambda actor=actor: services.webhook_create(actor=actor, url=PUBLIC_URL),
            lambda actor=actor: services.webhook_update(actor=actor, webhook=webhook, is_enabled=False),
            lambda actor=actor: services.webhook_rotate(actor=actor, webhook=webhook),
            lambda actor=actor: services.webhook_delete(actor=actor, webhook=webhook),
            lambda actor=actor: services.delivery_replay(actor=actor, delivery=delivery),
        ):
            with pytest.raises(PermissionDenied):
                deed()


def test_switching_a_webhook_on_again_forgets_why_it_was_off(alice: Person) -> None:
    webhook = services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    Webhook.objects.update(is_enabled=False, disabled_reason="The receiver answered 410 Gone.")
    webhook = services.webhook_update(actor=alice.actor, webhook=webhook, is_enabled=True)
    assert (webhook.is_enabled, webhook.disabled_reason) == (True, "")


def test_a_replay_sends_the_same_message_as_a_new_row(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    first = attempt(make_delivery(alice, site.url("/hook")))
    second = services.delivery_replay(actor=alice.actor, delivery=first)
    assert attempt(second).status == "succeeded"
    assert second.pk != first.pk
    assert [headers["webhook-id"] for _, _, headers, _ in site.requests] == [first.message_id] * 2
    assert site.requests[0][3] == site.requests[1][3]


def test_a_replay_goes_to_where_the_webhook_points_now(alice: Person) -> None:
    delivery = make_delivery(alice, PUBLIC_URL)
    services.webhook_update(actor=alice.actor, webhook=delivery.webhook, url="https://moved.example/")
    delivery = WebhookDelivery.objects.get()
    assert services.delivery_replay(actor=None, delivery=delivery).url == "https://moved.example/"


def test_every_change_of_a_webhook_is_audited_without_its_secret(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver(answer(b"", status=410))
    webhook = services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    services.webhook_update(actor=alice.actor, webhook=webhook, url=site.url("/hook"))
    secret = services.webhook_rotate(actor=alice.actor, webhook=webhook).secret
    attempt(services.delivery_enqueue(webhook=webhook, event="job.failed", payload={}))
    services.webhook_delete(actor=alice.actor, webhook=webhook)
    entries = list(AuditEntry.objects.filter(action=Action.WEBHOOK_CHANGED).order_by("number"))
    assert [entry.actor_name for entry in entries] == ["alice", "alice", "alice", "system", "alice"]
    assert entries[1].before["url"] == PUBLIC_URL
    assert entries[1].after["url"] == site.url("/hook")
    assert entries[3].after == {"is_enabled": False}
    assert (entries[4].object_id, entries[4].after) == (entries[0].object_id, None)
    assert all(secret not in str((entry.before, entry.after)) for entry in entries)


# The native API -------------------------------------------------------------------------------------------------------


def test_a_webhook_is_made_changed_rotated_and_deleted_over_http(alice: Person) -> None:
    api = alice.api()
    made = api.post("/api/webhooks/", {"url": PUBLIC_URL, "events": ["job.failed"]}, "application/json")
    assert made.status_code == 201
    address = f"/api/webhooks/{made.json()['id']}/"
    shown = api.get(address).json()
    assert (shown["url"], shown["events"], shown["is_enabled"]) == (PUBLIC_URL, ["job.failed"], True)
    assert "secret" not in shown
    changed = api.patch(address, {"events": ["job.succeeded"], "is_enabled": False}, "application/json").json()
    assert (changed["events"], changed["is_enabled"]) == (["job.succeeded"], False)
    rotated = api.post(f"{address}rotate").json()
    assert rotated["secret"] != made.json()["secret"]
    assert rotated["previous_secret_until"]
    assert [webhook["id"] for webhook in api.get("/api/webhooks/").json()] == [made.json()["id"]]
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_deliveries_are_listed_filtered_and_replayed_over_http(alice: Person) -> None:
    api = alice.api()
    webhook = services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job = make_job(alice)
    job_cancel(actor=alice.actor, job=job)
    page = api.get(f"/api/webhooks/deliveries/?webhook={webhook.pk}&job={job.pk}&status=waiting").json()
    assert (page["count"], page["results"][0]["event"]) == (1, "job.canceled")
    assert "payload" not in page["results"][0]
    assert api.get("/api/webhooks/deliveries/?status=failed").json()["count"] == 0
    address = f"/api/webhooks/deliveries/{page['results'][0]['id']}/"
    assert api.get(address).json()["payload"]["data"]["id"] == str(job.pk)
    again = api.post(f"{address}replay")
    assert (again.status_code, again.json()["message_id"]) == (202, page["results"][0]["message_id"])
    assert api.get("/api/webhooks/deliveries/").json()["count"] == 2


def test_the_callback_secret_is_told_to_managers_and_can_be_changed(alice: Person, bob: Person) -> None:
    first = alice.api().get("/api/webhooks/callback-secret").json()["secret"]
    assert alice.api().get("/api/webhooks/callback-secret").json()["secret"] == first
    assert alice.api().post("/api/webhooks/callback-secret").json()["secret"] != first
    assert bob.browser().get("/api/webhooks/callback-secret").status_code == 403


def test_another_team_sees_no_webhook_and_no_delivery(alice: Person, charlie: Person) -> None:
    webhook = services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    delivery = services.delivery_enqueue(webhook=webhook, event="job.failed", payload={})
    api = charlie.api()
    assert api.get("/api/webhooks/").json() == []
    assert api.get("/api/webhooks/deliveries/").json()["count"] == 0
    for address in (f"/api/webhooks/{webhook.pk}/", f"/api/webhooks/deliveries/{delivery.pk}/"):
        assert api.get(address).status_code == 404
    assert api.post(f"/api/webhooks/{webhook.pk}/rotate").status_code == 404
    assert api.post(f"/api/webhooks/deliveries/{delivery.pk}/replay").status_code == 404


def test_a_member_who_sees_only_own_jobs_sees_only_their_messages(alice: Person, bob: Person) -> None:
    bob.team.members_see_all = False
    bob.team.save()
    services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job_cancel(actor=alice.actor, job=make_job(alice))
    mine = make_job(bob)
    job_cancel(actor=alice.actor, job=mine)
    page = bob.browser().get("/api/webhooks/deliveries/").json()
    assert [row["job"] for row in page["results"]] == [str(mine.pk)]


def test_a_plain_member_may_look_but_not_change_over_http(alice: Person, bob: Person) -> None:
    webhook = services.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    browser = bob.browser()
    assert browser.get(f"/api/webhooks/{webhook.pk}/").status_code == 200
    assert browser.delete(f"/api/webhooks/{webhook.pk}/").status_code == 403
    assert browser.post("/api/webhooks/", {"url": PUBLIC_URL}, "application/json").status_code == 403


def test_a_bad_webhook_is_answered_with_a_problem_that_names_the_field(alice: Person) -> None:
    answered = alice.api().post("/api/webhooks/", {"url": "http://10.0.0.1/"}, "application/json")
    assert answered.status_code == 422
    assert (answered.json()["code"], answered.json()["field"]) == ("url_forbidden", "url")
    assert alice.api().post("/api/webhooks/", {"events": ["job.failed"]}, "application/json").status_code == 422


def test_a_job_with_a_forbidden_callback_is_refused_and_leaves_nothing(alice: Person, png_bytes: bytes) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    body = {"image": SimpleUploadedFile("a.png", png_bytes), "callback_url": "http://169.254.169.254/"}
    answered = alice.api().post("/api/jobs/", body)
    assert (answered.status_code, answered.json()["field"]) == (422, "callback_url")
    assert not Job.objects.exists()
