"""Tests of the admin's page that verifies the audit trail: progress, result and permission."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from jobs.audit.trail import Author, audit_append
from jobs.models import Action
from tests.cast import Person

pytestmark = pytest.mark.django_db


def steps_of(answer: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]


def test_each_step_counts_and_the_last_one_is_the_verdict(admin_client, monkeypatch):
    monkeypatch.setattr("jobs.audit.verification._STEP", 2)
    for _ in range(5):
        audit_append(action=Action.SIGNED_IN, author=Author())

    steps = steps_of(admin_client.post(reverse("admin:jobs_auditentry_verify")))

    total = steps[-1]["total"]
    assert [step["count"] for step in steps] == [*range(2, total + 1, 2), total]
    assert steps[-1]["problems"] == []


def test_a_trail_that_was_changed_is_told(admin_client, monkeypatch):
    audit_append(action=Action.SIGNED_IN, author=Author())
    monkeypatch.setattr("jobs.audit.verification.GENESIS", "1" * 64)  # the database refuses a change of a row

    steps = steps_of(admin_client.post(reverse("admin:jobs_auditentry_verify")))

    assert "entry 1" in steps[-1]["problems"][0]


def test_only_staff_who_may_read_the_trail_verify_it_and_only_by_a_post(admin_client, alice: Person):
    address = reverse("admin:jobs_auditentry_verify")

    assert alice.browser().post(address).status_code == 302
    assert admin_client.get(address).status_code == 405
