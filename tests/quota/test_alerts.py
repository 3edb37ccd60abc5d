"""Tests of quota alerts: a team gets one alert when most of its quota is used, and one when the whole quota is used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from jobs.models import UsagePeriod, Webhook, WebhookDelivery
from jobs.quota.alerts import quota_alert_send
from jobs.quota.charges import QUOTA_ALERT
from jobs.webhooks import signing
from jobs.work import queue
from jobs.work.registry import Task
from tests.cast import Person

from .actions import set_quota, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """Return a list that records each alert that is put into the queue, as a dict with `percent` and `limit`."""
    found: list[dict[str, int]] = []
    enqueue = queue.enqueue_task

    def note(task: Task, *args: object, **values: object) -> None:
        if task == QUOTA_ALERT:
            found.append({name: values[name] for name in ("percent", "limit")})
        else:
            enqueue(task, *args, **values)

    monkeypatch.setattr(queue, "enqueue_task", note)
    return found


def test_80_and_100_percent_are_told_once_each(
    alice: Person, sent: list, django_capture_on_commit_callbacks: Callable
) -> None:
    set_quota(alice, images_per_day=10)

    told = []
    for _ in range(10):
        with django_capture_on_commit_callbacks(execute=True):
            submit(alice)
        told.append(len(sent))

    assert told == [0, 0, 0, 0, 0, 0, 0, 1, 1, 2]
    assert sent == [{"percent": 80, "limit": 10}, {"percent": 100, "limit": 10}]


def test_one_large_job_that_uses_all_is_told_once(
    alice: Person, sent: list, django_capture_on_commit_callbacks: Callable
) -> None:
    set_quota(alice, images_per_month=4)

    with django_capture_on_commit_callbacks(execute=True):
        submit(alice, 4)

    assert sent == [{"percent": 100, "limit": 4}]


def test_without_a_quota_nobody_is_told(
    alice: Person, sent: list, django_capture_on_commit_callbacks: Callable
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        submit(alice, 4)

    assert sent == []


def test_a_webhook_that_listens_gets_the_warning_and_another_does_not(alice: Person, charlie: Person) -> None:
    for team, events in (
        (alice.team, ["quota.warning"]),
        (alice.team, ["job.failed"]),
        (charlie.team, ["quota.warning"]),
    ):
        Webhook.objects.create(team=team, url="https://receiver.example/", events=events, secret=signing.new_secret())
    submit(alice, 8)
    period = UsagePeriod.objects.get(team=alice.team, kind="day")

    quota_alert_send(period_id=period.pk, percent=80, limit=10)

    delivery = WebhookDelivery.objects.get()
    assert delivery.webhook.team == alice.team
    assert delivery.payload["type"] == "quota.warning"
    data = delivery.payload["data"]
    assert (data["percent"], data["pictures"], data["limit"], data["period"]) == (80, 8, 10, "day")


def test_owners_and_admins_get_a_mail_where_mail_is_configured(
    alice: Person, bob: Person, settings: Settings, mailoutbox: list
) -> None:
    settings.EMAIL_IS_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    submit(alice, 10)
    period = UsagePeriod.objects.get(team=alice.team, kind="month")

    quota_alert_send(period_id=period.pk, percent=100, limit=10)

    assert [mail.to for mail in mailoutbox] == [["alice@example.com"]]
    assert "used up" in mailoutbox[0].subject
