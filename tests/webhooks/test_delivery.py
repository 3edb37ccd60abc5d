"""Tests of the receiver's response: it decides whether a message is delivered, sent again later, or no longer sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from jobs.errors import DownloadFailed, UrlForbidden, UrlTooLong
from jobs.models import Webhook, WebhookDelivery
from jobs.webhooks import delivery as sending
from jobs.webhooks import endpoints
from jobs.work.cancel import job_cancel
from tests.cast import Person
from tests.jobs.site import Site, answer, endless, redirect
from tests.webhooks.clock import Clock
from tests.webhooks.messages import PUBLIC_URL, attempt, make_delivery, make_job


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
    endpoints.webhook_update(actor=alice.actor, webhook=delivery.webhook, is_enabled=False)
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

    monkeypatch.setattr(sending, "post_bytes", fail)
    delivery = attempt(make_delivery(alice, PUBLIC_URL))
    assert (delivery.status, delivery.error_code) == ("waiting", "internal")
    assert "secret detail" not in delivery.error_message
