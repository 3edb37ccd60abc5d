"""Tests of the admin's actions: an action calls a service function, and the audit trail records the action."""

from __future__ import annotations

import csv
import json

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from jobs.audit.verification import audit_verify
from jobs.models import ApiKey, AuditEntry, Job, Membership, ModelVersion, Quota, Status, Team
from jobs.quota.limits import quota_of
from jobs.teams.keys import key_create
from tests.cast import Person
from tests.quota.actions import claim, fail, ledger_sum, submit

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

JOBS = "/admin/jobs/job/"


def act(browser: Client, action: str, *jobs: Job, **more: str) -> object:
    data = {"action": action, "_selected_action": [str(job.pk) for job in jobs]}
    return browser.post(JOBS, data | more)


def last_entry() -> AuditEntry:
    return AuditEntry.objects.first()


def test_an_operator_retries_failed_pictures(operator: Client, alice: Person) -> None:
    job = submit(alice)
    fail(claim(job.images.get()))

    act(operator, "retry", job)

    job.refresh_from_db()
    assert job.status == Status.QUEUED
    assert (last_entry().action, last_entry().actor_name, last_entry().team_name) == (
        "job.retried",
        "operator",
        "Studio",
    )


def test_an_operator_cancels_and_the_charge_goes_back(operator: Client, alice: Person) -> None:
    job = submit(alice)

    operator.post(f"{JOBS}{job.pk}/action/", {"do": "cancel"})

    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert ledger_sum(alice) == 0
    assert last_entry().action == "job.canceled"


def test_purging_asks_first(operator: Client, alice: Person) -> None:
    job = submit(alice)

    asked = act(operator, "purge", job)
    assert b"Delete permanently" in asked.content
    assert Job.objects.filter(pk=job.pk).exists()
    act(operator, "purge", job, confirmed="yes")

    assert not Job.objects.filter(pk=job.pk).exists()
    assert (last_entry().action, last_entry().object_id) == ("job.purged", str(job.pk))


def test_a_link_or_preview_runs_no_action(operator: Client, alice: Person) -> None:
    job = submit(alice)

    assert operator.get(f"{JOBS}{job.pk}/action/?do=cancel").status_code == 404

    job.refresh_from_db()
    assert job.status == Status.QUEUED


@pytest.mark.parametrize("action", ["retry", "cancel", "purge"])
def test_an_auditor_does_nothing_to_jobs(auditor: Client, alice: Person, action: str) -> None:
    job = submit(alice)

    act(auditor, action, job, confirmed="yes")
    refused = auditor.post(f"{JOBS}{job.pk}/action/", {"do": action})

    job.refresh_from_db()
    assert refused.status_code == 404
    assert job.status == Status.QUEUED


def test_the_export_of_jobs_runs_nothing_in_a_spreadsheet_and_is_recorded(operator: Client, alice: Person) -> None:
    alice.team.name = "=HYPERLINK(1)"
    alice.team.save()
    job = submit(alice)

    answer = act(operator, "export_csv", job)

    rows = list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))
    assert rows[1][:3] == [str(job.pk), "", "'=HYPERLINK(1)"]
    assert last_entry().action == "jobs.exported"


def test_a_member_of_staff_who_opens_a_file_is_recorded_once(operator: Client, alice: Person) -> None:
    from tests.quota.actions import submit_file

    job = submit_file(alice)
    source = job.artifacts.get()

    for _ in range(2):
        assert operator.get(f"{JOBS}files/{source.pk}/").status_code == 302

    entry = AuditEntry.objects.get(action="job.downloaded")
    assert (entry.actor_name, entry.object_id, entry.team_name) == ("operator", str(job.pk), "Studio")


def test_a_file_opened_by_its_submitter_is_not_recorded_and_by_a_colleague_it_is(alice: Person, bob: Person) -> None:
    from tests.quota.actions import submit_file

    source = submit_file(alice).artifacts.get()
    address = f"/files/{source.pk}/{source.file_name}"

    alice.browser().get(address)
    assert not AuditEntry.objects.filter(action="job.downloaded").exists()
    bob.browser().get(address)

    assert AuditEntry.objects.get(action="job.downloaded").actor_name == "bob"


# Audit trail ----------------------------------------------------------------------------------------------------------


def test_the_audit_trail_is_read_and_never_written_in_the_admin(root: Client, alice: Person) -> None:
    entry = last_entry()
    page = f"/admin/jobs/auditentry/{entry.pk}/"

    assert root.get(f"{page}change/").status_code == 200
    assert root.post(f"{page}change/", {"actor_name": "mallory"}).status_code == 403
    assert root.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert root.get("/admin/jobs/auditentry/add/").status_code == 403
    assert audit_verify().problems == []


def test_the_trail_is_exported_as_filtered_in_both_forms_and_that_is_recorded(auditor: Client, alice: Person) -> None:
    submit(alice)
    submit(alice)
    export = "/admin/jobs/auditentry/export/"

    as_csv = auditor.get(f"{export}csv/?action__exact=job.submitted")
    rows = list(csv.DictReader(b"".join(as_csv.streaming_content).decode().splitlines()))
    as_lines = auditor.get(f"{export}jsonl/?action__exact=job.submitted")
    lines = [json.loads(line) for line in b"".join(as_lines.streaming_content).splitlines()]

    assert [row["action"] for row in rows] == ["job.submitted"] * 2
    assert [row["number"] for row in rows] == [str(line["number"]) for line in lines]
    assert lines[0]["hash"] == AuditEntry.objects.get(number=lines[0]["number"]).hash
    assert last_entry().action == "audit.exported"
    assert last_entry().after == {"format": "jsonl", "filters": "action__exact=job.submitted"}


def test_an_operator_reads_no_audit_trail(operator: Client, alice: Person) -> None:
    assert operator.get("/admin/jobs/auditentry/").status_code == 403
    assert operator.get("/admin/jobs/auditentry/export/csv/").status_code == 404


def test_a_model_served_again_is_filed_under_no_team(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MATTING_WEIGHTS_DIR", settings.BASE_DIR / "weights")
    tried = {
        "name": "Small",
        "sha256": "0" * 64,
        "architecture": "unet",
        "roles": ["subject"],
        "licence": "MIT",
        "needs_acceptance": False,
        "storage_key": "",
        "host": "here",
    }
    monkeypatch.setattr("jobs.work.queue.ask", lambda *args, **values: tried)
    path = next((settings.BASE_DIR / "weights").glob("*.safetensors")).name
    version = ModelVersion.objects.create(name="Small", path=path, sha256="0" * 64, architecture="unet")

    root.post("/admin/jobs/modelversion/", {"action": "serve", "_selected_action": [str(version.pk)]})

    entry = AuditEntry.objects.get(action="model.activated")
    assert (entry.actor_name, entry.team_id, entry.team_name) == ("root", None, "")


# Teams, quotas, keys, users -------------------------------------------------------------------------------------------


def team_form(person: Person, **quota: str) -> dict[str, str]:
    members = list(Membership.objects.filter(team=person.team))
    form = {"name": person.team.name, "members_see_all": "on", "trial_percent": "0"}
    form |= {"memberships-TOTAL_FORMS": str(len(members)), "memberships-INITIAL_FORMS": str(len(members))}
    for number, member in enumerate(members):
        form |= {f"memberships-{number}-{name}": str(value) for name, value in _member(member).items()}
    has_quota = Quota.objects.filter(team=person.team).exists()
    form |= {"quota-TOTAL_FORMS": "1", "quota-INITIAL_FORMS": str(int(has_quota)), "quota-0-team": str(person.team.pk)}
    return form | {"quota-0-dialects": "{}"} | {f"quota-0-{name}": value for name, value in quota.items()}


def _member(member: Membership) -> dict[str, object]:
    return {"id": member.pk, "team": member.team_id, "user": member.user_id, "role": member.role}


def test_a_team_manager_sets_a_quota_and_the_trail_says_from_what_to_what(team_manager: Client, alice: Person) -> None:
    page = team_manager.post(f"/admin/jobs/team/{alice.team.pk}/change/", team_form(alice, images_per_day="50"))

    assert page.status_code == 302, page.context["errors"]
    assert Quota.objects.get(team=alice.team).images_per_day == 50
    entry = AuditEntry.objects.get(action="quota.changed")
    assert (entry.actor_name, entry.team_name) == ("team-manager", "Studio")
    assert (entry.before["images_per_day"], entry.after["images_per_day"]) == (None, 50)


def test_a_team_manager_changes_a_role_and_it_is_recorded(team_manager: Client, alice: Person, bob: Person) -> None:
    form = team_form(alice)
    number = next(key[12] for key, value in form.items() if key.endswith("-user") and value == str(bob.user.pk))

    team_manager.post(f"/admin/jobs/team/{alice.team.pk}/change/", form | {f"memberships-{number}-role": "admin"})

    bob.membership.refresh_from_db()
    entry = AuditEntry.objects.get(action="member.role_changed")
    assert bob.membership.role == "admin"
    assert (entry.before, entry.after, entry.object_name) == ({"role": "member"}, {"role": "admin"}, "bob")


def test_a_deleted_quota_gives_the_team_the_sites_defaults_and_is_recorded(team_manager: Client, alice: Person) -> None:
    Quota.objects.create(team=alice.team, images_per_day=50, requests_per_second=200)

    page = team_manager.post(f"/admin/jobs/team/{alice.team.pk}/change/", team_form(alice) | {"quota-0-DELETE": "on"})

    assert page.status_code == 302, page.context["errors"]
    assert not Quota.objects.exists()
    assert quota_of(Team.objects.get(pk=alice.team.pk)).requests_per_second == 200
    entry = AuditEntry.objects.get(action="quota.changed")
    assert (entry.actor_name, entry.team_name) == ("team-manager", "Studio")
    assert (entry.before, entry.after) == ({"images_per_day": 50}, {"images_per_day": None})


def test_a_member_replaced_by_another_loses_the_team(
    team_manager: Client, alice: Person, bob: Person, charlie: Person
) -> None:
    form = team_form(alice)
    number = next(key[12] for key, value in form.items() if key.endswith("-user") and value == str(bob.user.pk))

    page = team_manager.post(
        f"/admin/jobs/team/{alice.team.pk}/change/", form | {f"memberships-{number}-user": str(charlie.user.pk)}
    )

    assert page.status_code == 302, page.context["errors"]
    members = Membership.objects.filter(team=alice.team).values_list("user__username", "role")
    assert sorted(members) == [("alice", "owner"), ("charlie", "member")]
    assert AuditEntry.objects.get(action="member.removed").object_name == "bob"
    assert AuditEntry.objects.get(action="member.joined").object_name == "charlie"


def test_a_limit_of_a_dialect_that_there_is_not_is_refused(team_manager: Client, alice: Person) -> None:
    form = team_form(alice) | {"quota-0-dialects": '{"native": {"speed": 1}}'}

    page = team_manager.post(f"/admin/jobs/team/{alice.team.pk}/change/", form)

    assert b"choose from" in page.content
    assert not Quota.objects.exists()


def test_a_key_made_in_the_admin_shows_its_secret_once_and_opens(team_manager: Client, alice: Person) -> None:
    form = {"team": str(alice.team.pk), "name": "shop", "scopes": ["read", "server-files"], "allowed_networks": ""}

    page = team_manager.post("/admin/jobs/apikey/add/", form | {"expires_at_0": "", "expires_at_1": ""}, follow=True)

    secret = next(str(message) for message in page.context["messages"]).rpartition(" ")[2]
    key = ApiKey.objects.get(name="shop")
    assert key.secret_hash == ApiKey.hash_of(secret)
    assert key.scopes == ["read", "server-files"]
    assert secret not in team_manager.get(f"/admin/jobs/apikey/{key.pk}/change/").content.decode()
    assert AuditEntry.objects.filter(action="key.created", object_id=str(key.pk)).count() == 1


def test_a_key_is_revoked_in_the_admin(team_manager: Client, alice: Person) -> None:
    key, _ = key_create(team=alice.team, name="shop")

    team_manager.post("/admin/jobs/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]})

    key.refresh_from_db()
    assert key.revoked_at is not None
    assert last_entry().action == "key.revoked"


def test_a_changed_user_is_in_the_trail_with_before_and_after(root: Client, alice: Person) -> None:
    form = {"username": "alice", "first_name": "Alice", "email": "alice@example.com", "is_active": "on"}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}

    root.post(f"/admin/auth/user/{alice.user.pk}/change/", form | joined)

    entry = AuditEntry.objects.filter(action="admin.changed").first()
    assert (entry.before["first_name"], entry.after["first_name"]) == ("", "Alice")
    assert "password" not in entry.after


def test_a_password_set_by_staff_is_in_the_trail_without_itself(root: Client, alice: Person) -> None:
    form = {"password1": "a new sound passphrase", "password2": "a new sound passphrase", "usable_password": "true"}

    page = root.post(f"/admin/auth/user/{alice.user.pk}/password/", form)

    assert page.status_code == 302, page.context["errors"]
    entry = AuditEntry.objects.get(action="admin.changed")
    assert (entry.actor_name, entry.object_name) == ("root", "alice")
    assert (entry.before, entry.after) == ({"password": "hidden"}, {"password": "changed"})


def test_no_role_but_the_superuser_changes_users(team_manager: Client, operator: Client, auditor: Client) -> None:
    target = User.objects.get(username="operator")

    for browser in (team_manager, operator, auditor):
        page = browser.post(f"/admin/auth/user/{target.pk}/change/", {"is_superuser": "on"})
        assert page.status_code == 403
