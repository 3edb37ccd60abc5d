"""Tests of the native API's routes for webhooks and their deliveries."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from jobs.models import Job
from jobs.webhooks import endpoints, outbox
from jobs.work.cancel import job_cancel
from tests.cast import Person
from tests.webhooks.messages import PUBLIC_URL, make_job


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
    webhook = endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
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
    webhook = endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    delivery = outbox.delivery_enqueue(webhook=webhook, event="job.failed", payload={})
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
    endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    job_cancel(actor=alice.actor, job=make_job(alice))
    mine = make_job(bob)
    job_cancel(actor=alice.actor, job=mine)
    page = bob.browser().get("/api/webhooks/deliveries/").json()
    assert [row["job"] for row in page["results"]] == [str(mine.pk)]


def test_a_plain_member_may_look_but_not_change_over_http(alice: Person, bob: Person) -> None:
    webhook = endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
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
    body = {"image": SimpleUploadedFile("a.png", png_bytes), "callback_url": "http://169.254.169.254/"}
    answered = alice.api().post("/api/jobs/", body)
    assert (answered.status_code, answered.json()["field"]) == (422, "callback_url")
    assert not Job.objects.exists()


def test_an_event_that_is_half_a_character_is_refused(alice: Person) -> None:
    answer = alice.api().post("/api/webhooks/", {"url": PUBLIC_URL, "events": ["\ud800"]}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
