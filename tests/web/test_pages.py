"""Tests that each page opens for members of its team, and not for other users."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from jobs.models import ApiKey, AuditEntry, Invitation, Job, JobImage, Membership, Preset, Webhook
from tests.cast import Person
from tests.quota.actions import claim, fail, set_quota, submit, submit_file

pytestmark = pytest.mark.django_db
PAGES = ["site:home", "site:gallery", "site:usage", "site:keys", "site:webhooks", "site:team"]


@pytest.fixture
def finished(alice: Person, jpeg_bytes, instant_worker) -> Job:
    alice.browser().post(reverse("site:submit"), {"image": SimpleUploadedFile("cat.jpg", jpeg_bytes)})
    return Job.objects.get()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_a_member(alice: Person, bob: Person, finished, page):
    assert alice.browser().get(reverse(page)).status_code == 200
    assert bob.browser().get(reverse(page)).status_code == 200


@pytest.mark.parametrize("page", PAGES[1:])
def test_a_stranger_is_sent_to_sign_in(client, db, page):
    answer = client.get(reverse(page))

    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


def test_a_stranger_sees_what_the_site_is(client, db):
    answer = client.get("/")

    assert answer.status_code == 200
    assert b"upload" not in answer.content.lower()


def test_the_form_works_without_scripts(alice: Person, jpeg_bytes, instant_worker):
    answer = alice.browser().post(reverse("site:submit"), {"image": SimpleUploadedFile("cat.jpg", jpeg_bytes)})

    job = Job.objects.get()
    assert answer["Location"] == reverse("site:job", args=[job.id])
    assert (job.dialect, job.user) == ("web", alice.user)


def test_a_bad_upload_without_scripts_is_explained_on_the_page(alice: Person):
    answer = alice.browser().post(
        reverse("site:submit"), {"image": SimpleUploadedFile("notes.txt", b"no picture")}, follow=True
    )

    assert answer.status_code == 200
    assert b"notice error" in answer.content
    assert not Job.objects.exists()


def test_a_finished_picture_shows_its_files_to_its_team_alone(alice: Person, bob: Person, charlie: Person, finished):
    address = reverse("site:job", args=[finished.id])

    assert b"cat.jpg" in bob.browser().get(address).content
    assert charlie.browser().get(address).status_code == 404
    assert charlie.browser().get(reverse("site:job-zip", args=[finished.id])).status_code == 404


def test_a_file_name_with_markup_stays_text(alice: Person, jpeg_bytes, instant_worker):
    name = '"><img src=x onerror=alert(1)>.jpg'
    alice.browser().post(reverse("site:submit"), {"image": SimpleUploadedFile(name, jpeg_bytes)})
    JobImage.objects.update(name="<script>alert(1)</script>.jpg")

    for address in (reverse("site:gallery"), reverse("site:job", args=[Job.objects.get().id])):
        content = alice.browser().get(address).content
        assert b"<script>alert(1)" not in content
        assert b"<img src=x" not in content


def test_the_gallery_is_filtered_by_name_state_and_owner(alice: Person, bob: Person, finished):
    browser = alice.browser()

    assert b"cat.jpg" in browser.get(reverse("site:gallery"), {"q": "CAT"}).content
    assert b"cat.jpg" not in browser.get(reverse("site:gallery"), {"q": "dog"}).content
    assert b"cat.jpg" not in browser.get(reverse("site:gallery"), {"status": "failed"}).content
    assert b"cat.jpg" not in bob.browser().get(reverse("site:gallery"), {"mine": "on"}).content


def test_the_next_page_of_the_gallery_comes_alone_for_htmx(alice: Person, finished):
    answer = alice.browser().get(reverse("site:gallery"), headers={"HX-Request": "true"})

    assert b"<html" not in answer.content
    assert b"cat.jpg" in answer.content


def test_a_batch_shows_its_progress_and_its_errors(alice: Person):
    job = submit(alice, 3)
    fail(claim(job.images.first()))

    content = alice.browser().get(reverse("site:job", args=[job.id])).content.decode()

    assert '<progress max="3" value="1"' in content
    assert "could not process" in content


def test_the_parts_of_a_progress_that_replaces_itself_have_ids_by_which_focus_is_kept(alice: Person):
    job = submit(alice, 2)
    fail(claim(job.images.first()))

    running = alice.browser().get(reverse("site:job", args=[job.id])).content.decode()

    for name in ("cancel", "cancel-form", *(f"picture-{image.id}" for image in job.images.all())):
        assert f'id="{name}"' in running


def test_what_is_left_of_a_batch_is_found_by_its_position(alice: Person):
    job = submit(alice, 3)
    for image in job.images.all():
        fail(claim(image))
    first, second, third = job.images.order_by("position")
    browser = alice.browser()

    browser.post(reverse("site:selection"), {"do": "delete", "image": [first.id]})

    assert browser.get(reverse("site:picture", args=[job.id, 2])).context["image"] == third
    assert browser.get(reverse("site:picture", args=[job.id, 0])).status_code == 404
    assert browser.get(reverse("site:picture", args=[job.id, 10**30])).status_code == 404
    browser.post(reverse("site:selection"), {"do": "delete", "image": [second.id]})
    assert browser.get(reverse("site:job", args=[job.id])).context["image"] == third


def test_deleting_on_a_pictures_page_deletes_that_picture_alone(alice: Person):
    job = submit(alice, 2)
    for image in job.images.all():
        fail(claim(image))
    first = job.images.get(position=0)
    browser = alice.browser()
    page = browser.get(reverse("site:picture", args=[job.id, 1])).content.decode()
    pattern = r'<form method="post" action="([^"]+)" id="deletion">.*?name="image" value="([^"]+)"'
    [form] = re.findall(pattern, page, re.DOTALL)

    browser.post(form[0], {"do": "delete", "image": form[1]})

    assert list(job.images.all()) == [first]


def test_a_batch_is_cancelled_and_its_failures_tried_again(alice: Person):
    job = submit(alice, 2)
    fail(claim(job.images.first()))

    alice.browser().post(reverse("site:job-retry", args=[job.id]))
    assert JobImage.objects.filter(status="queued").count() == 2
    alice.browser().post(reverse("site:job-cancel", args=[job.id]))

    job.refresh_from_db()
    assert job.status == "canceled"


def test_a_single_picture_is_cancelled_and_tried_again_on_its_page(alice: Person):
    job = submit(alice)
    browser = alice.browser()
    answer = browser.get(reverse("site:job", args=[job.id]))
    forms = dict(re.findall(r'action="([^"]+)" id="(cancel|retry)-form"', answer.content.decode()))
    cancel, retry = sorted(forms, key=forms.get)

    assert answer.context["job_json"]["images_total"] == 1
    fail(claim(job.images.get()))
    browser.post(retry)
    assert job.images.get().status == "queued"
    browser.post(cancel)
    assert job.images.get().status == "canceled"


def test_the_page_of_one_of_many_pictures_cancels_none_of_them(alice: Person):
    job = submit(alice, 2)

    shown = alice.browser().get(reverse("site:picture", args=[job.id, 1])).context

    assert shown["job_json"]["images_total"] == 2
    assert [image["id"] for image in shown["job_json"]["images"]] == [shown["image_id"]]


def test_chosen_pictures_are_zipped_and_deleted(alice: Person, charlie: Person, finished):
    image = finished.images.get()
    address = reverse("site:selection")

    charlie.browser().post(address, {"do": "delete", "image": [image.id]})
    assert JobImage.objects.filter(pk=image.pk).exists()

    zipped = alice.browser().post(address, {"do": "zip", "image": [image.id]})
    assert b"".join(zipped.streaming_content).startswith(b"PK")
    alice.browser().post(address, {"do": "delete", "image": [image.id]})
    assert not Job.objects.exists()


@pytest.mark.parametrize("how", ["job", "selection"])
def test_a_zip_for_a_colleague_is_recorded_once_for_each_job(alice: Person, bob: Person, finished, how):
    def zipped(person: Person) -> bytes:
        if how == "job":
            answer = person.browser().get(reverse("site:job-zip", args=[finished.id]))
        else:
            chosen = [image.id for image in finished.images.all()]
            answer = person.browser().post(reverse("site:selection"), {"do": "zip", "image": chosen})
        return b"".join(answer.streaming_content)

    zipped(alice)
    assert not AuditEntry.objects.filter(action="job.downloaded").exists()
    assert zipped(bob).startswith(b"PK")
    zipped(bob)

    entry = AuditEntry.objects.get(action="job.downloaded")
    assert (entry.actor_name, entry.object_id) == ("bob", str(finished.pk))


def test_a_keys_secret_is_shown_once(alice: Person):
    browser = alice.browser()

    made = browser.post(reverse("site:keys"), {"do": "create", "name": "Shop", "scopes": ["submit", "read"]})

    assert b"kl_" in made.content
    assert made["Cache-Control"] == "no-store"
    assert b"kl_" not in browser.get(reverse("site:keys")).content
    key = ApiKey.objects.get(name="Shop")
    browser.post(reverse("site:keys"), {"do": "revoke", "id": key.id})
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_a_plain_member_makes_no_keys(alice: Person, bob: Person):
    bob.browser().post(reverse("site:keys"), {"do": "create", "name": "Mine", "scopes": ["submit"]})

    assert not ApiKey.objects.filter(name="Mine").exists()


def test_a_person_joins_by_the_link_that_a_manager_made(alice: Person, charlie: Person):
    made = alice.browser().post(reverse("site:team"), {"do": "invite", "note": "Charlie", "role": "member"})
    link = made.context["link"]

    charlie.browser().post(link)

    assert Membership.objects.get(team=alice.team, user=charlie.user).role == "member"
    assert not Invitation.objects.filter(accepted_at=None).exists()


def test_roles_are_changed_by_managers_alone(alice: Person, bob: Person):
    his = bob.membership
    bob.browser().post(reverse("site:team"), {"do": "role", "id": his.pk, "role": "owner"})
    his.refresh_from_db()
    assert his.role == "member"

    alice.browser().post(reverse("site:team"), {"do": "role", "id": his.pk, "role": "admin"})
    his.refresh_from_db()
    assert his.role == "admin"


def test_settings_are_saved_for_their_owner(alice: Person, bob: Person):
    browser = alice.browser()
    body = json.dumps({"name": "Mugs", "options": {"threshold": 20, "crop": True}})

    assert browser.post(reverse("site:presets"), body, "application/json").status_code == 201

    assert Preset.objects.get().options == {"threshold": 20, "crop": True}
    assert b"Mugs" in browser.get("/").content
    assert b"Mugs" not in bob.browser().get("/").content
    bad = json.dumps({"name": "Bad", "options": {"threshold": 99}})
    assert browser.post(reverse("site:presets"), bad, "application/json").status_code == 422
    browser.delete(reverse("site:presets") + "?name=Mugs")
    assert not Preset.objects.exists()


def test_pages_carry_a_strict_content_security_policy(alice: Person, finished):
    for address in ("/", reverse("site:gallery"), reverse("site:job", args=[finished.id])):
        answer = alice.browser().get(address)
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy
        assert b" style=" not in answer.content
        assert b" onclick=" not in answer.content


def test_the_language_is_switched_by_the_menu(alice: Person):
    browser = alice.browser()

    browser.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})

    assert b'lang="zh-hans"' in browser.get("/").content


def test_usage_counts_the_pictures_of_today(alice: Person):
    submit_file(alice)

    answer = alice.browser().get(reverse("site:usage"))

    assert [allowance.used for allowance in answer.context["allowances"]] == [1, 1]
    assert answer.context["bars"][-1].pictures == 1


def test_a_quota_of_nothing_is_not_taken_for_no_limit(alice: Person):
    set_quota(alice, images_per_day=0, stored_bytes=0)

    page = alice.browser().get(reverse("site:usage")).content.decode()

    assert page.count("no limit") == 1
    assert "0 left" in page
    assert re.search(r"/ 0\s+bytes", page)


@pytest.mark.parametrize("page", ["account_change_password", "account_email", "mfa_index"])
def test_the_menu_leads_to_what_one_signs_in_with(alice: Person, page: str):
    browser = alice.browser()

    assert f'href="{reverse(page)}"' in browser.get("/").content.decode()
    assert browser.get(reverse(page)).status_code == 200


def test_the_address_in_a_problem_document_explains_its_code(client, alice: Person):
    problem = alice.api().post("/api/jobs/", {}).json()

    page, _, code = problem["type"].partition("#")

    assert f'id="{code}"' in client.get(page).content.decode()


def test_a_wrong_address_gets_a_page_or_a_problem_document(client, alice: Person):
    page = client.get("/nowhere/")
    problem = client.get("/api/jobs/no-uuid/")

    assert (page.status_code, b"<html" in page.content) == (404, True)
    assert (problem.status_code, problem.json()["code"]) == (404, "not_found")
    assert problem["Content-Type"] == "application/problem+json"


def test_staff_without_a_team_are_told_what_to_do_and_led_to_the_admin(client, db):
    client.force_login(User.objects.create_user("dora", is_staff=True))

    answer = client.get("/")

    assert answer.status_code == 403
    assert "invitation link" in answer.content.decode()
    assert 'class="button loud" href="/admin/"' in answer.content.decode()


def test_a_webhooks_secret_is_told_once_when_it_is_made_and_when_it_is_changed(alice: Person, bob: Person):
    browser, address = alice.browser(), reverse("site:webhooks")
    made = browser.post(address, {"do": "create", "url": "https://shop.example/hook", "events": ["job.succeeded"]})
    webhook = Webhook.objects.get(kind="endpoint")

    assert webhook.secret in made.content.decode()
    assert made["Cache-Control"] == "no-store"
    for person in (alice, bob):
        page = person.browser().get(address).content
        assert b"shop.example" in page
        assert b"whsec_" not in page

    changed = browser.post(address, {"do": "rotate", "id": webhook.id})
    assert webhook.secret not in changed.content.decode()
    webhook.refresh_from_db()
    assert webhook.secret in changed.content.decode()
    assert changed["Cache-Control"] == "no-store"


def test_a_webhook_is_switched_and_renewed_on_its_page(alice: Person):
    browser = alice.browser()
    address = reverse("site:webhooks")
    browser.post(address, {"do": "create", "url": "https://shop.example/hook", "events": ["job.succeeded"]})
    webhook = Webhook.objects.get(kind="endpoint")

    browser.post(address, {"do": "disable", "id": webhook.id})
    browser.post(address, {"do": "rotate", "id": webhook.id})

    after = Webhook.objects.get(pk=webhook.pk)
    assert after.is_enabled is False
    assert after.secret != webhook.secret
    browser.post(address, {"do": "delete", "id": webhook.id})
    assert not Webhook.objects.filter(pk=webhook.pk).exists()
    assert browser.post(address, {"do": "dance"}).status_code == 404


def test_a_test_message_is_sent_to_a_webhook_and_listed(alice: Person, bob: Person):
    browser, address = alice.browser(), reverse("site:webhooks")
    browser.post(address, {"do": "create", "url": "https://shop.example/hook", "events": ["job.succeeded"]})
    webhook = Webhook.objects.get(kind="endpoint")

    bob.browser().post(address, {"do": "test", "id": webhook.id})
    assert not webhook.deliveries.exists()
    browser.post(address, {"do": "test", "id": webhook.id})

    delivery = webhook.deliveries.get()
    assert (delivery.event, delivery.payload["data"]["webhook"]) == ("webhook.test", str(webhook.id))
    assert "Test message" in browser.get(address).content.decode()
