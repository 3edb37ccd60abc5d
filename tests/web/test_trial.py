"""Tests of the one cutout that visitors get before sign-up: its result, and the protection against abuse."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Artifact, Job, Membership, Team, UsageEntry
from jobs.results import storage
from jobs.trial import cutouts
from jobs.work.retention import jobs_expire
from tests import photos
from tests.cast import Person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def offered(settings) -> None:
    settings.MATTING_TRIAL_CUTOUTS_PER_HOUR = 3


def send(client: Client, data: bytes | None = None, *, address: str = "203.0.113.5"):
    file = SimpleUploadedFile("bag.jpg", data or photos.encoded("JPEG", quality=80), "image/jpeg")
    return client.post(reverse("site:trial"), {"image": file}, REMOTE_ADDR=address)


def result(client: Client):
    return client.get(reverse("site:trial"))


def test_it_is_off_unless_the_operator_allows_it(settings, instant_worker):
    settings.MATTING_TRIAL_CUTOUTS_PER_HOUR = 0

    assert send(Client()).status_code == 404
    assert "trial-file" not in Client().get("/").content.decode()
    assert not Job.objects.exists()


def test_the_chooser_hides_no_file_by_its_type():
    page = Client().get("/").content.decode()

    assert 'id="trial-file"' in page
    assert "accept=" not in page


def test_a_visitor_cuts_out_a_picture_and_gets_the_file(instant_worker):
    visitor = Client()
    assert 'name="image"' in visitor.get("/").content.decode()

    assert send(visitor)["Location"] == reverse("site:trial")
    page = result(visitor)

    assert page.status_code == 200
    assert "Create an account" in page.content.decode()
    assert visitor.get(page.context["cutout_url"])["Content-Type"] == "image/png"
    assert page["Cache-Control"] == "private, no-store"


def test_it_belongs_to_a_team_that_has_no_member(instant_worker, alice: Person):
    Team.objects.create(name=cutouts.TEAM_NAME)  # belongs to another user who has chosen the same name

    send(Client())

    job = Job.objects.get()
    assert (job.team_id, job.user, job.api_key) == (cutouts.TEAM_ID, None, None)
    assert not Membership.objects.filter(team=job.team).exists()
    assert set(UsageEntry.objects.values_list("team_id", flat=True)) == {cutouts.TEAM_ID}
    assert alice.browser().get(f"/jobs/{job.pk}/").status_code == 404


def test_one_address_gets_one_cut_out_an_hour(instant_worker):
    visitor, other_session = Client(), Client()
    send(visitor)

    for client in (visitor, other_session):
        answer = send(client, photos.encoded("JPEG", quality=70))
        assert answer["Location"] == "/"
        assert "used up" in client.get("/").content.decode()

    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("203.0.113.5", "203.0.113.6", False),
    ],
)
def test_a_customers_ipv6_network_counts_as_one_address(instant_worker, first: str, second: str, is_same: bool):
    send(Client(), address=first)

    send(Client(), photos.encoded("JPEG", quality=70), address=second)

    assert Job.objects.count() == (1 if is_same else 2)


def test_all_visitors_together_get_only_what_the_operator_allows(instant_worker):
    for number in range(5):
        send(Client(), photos.encoded("JPEG", quality=60 + number), address=f"203.0.113.{number}")

    assert Job.objects.count() == 3


def test_an_hour_later_the_address_may_try_again(instant_worker):
    send(Client())
    Job.objects.update(created_at=timezone.now() - dt.timedelta(minutes=61))

    send(Client(), photos.encoded("JPEG", quality=70))

    assert Job.objects.count() == 2


@pytest.mark.parametrize("data", [b"not a picture", b"\xff\xd8\xff" + b"0" * (11 * 2**20)])
def test_what_is_no_picture_or_too_large_is_refused_and_costs_nothing(instant_worker, data: bytes):
    visitor = Client()

    assert send(visitor, data).status_code in (302, 413)

    assert not Job.objects.exists()
    assert not Artifact.objects.exists()
    send(visitor)
    assert Job.objects.count() == 1


def test_too_many_pixels_are_refused(instant_worker, monkeypatch):
    monkeypatch.setattr(cutouts, "_MAX_PIXELS", 512 * 511)

    send(Client())

    assert not Job.objects.exists()


def test_only_the_session_that_sent_it_sees_the_result(instant_worker, alice: Person):
    send(Client())

    assert result(Client()).status_code == 404
    assert result(alice.browser()).status_code == 404
    job = Job.objects.get()
    for url in (f"/api/jobs/{job.pk}/", f"/jobs/{job.pk}/", f"/api/jobs/{job.pk}/zip"):
        assert Client().get(url).status_code in (302, 401)


def test_a_session_cannot_be_pointed_at_the_job_of_a_team(instant_worker, alice: Person):
    alice.browser().post(reverse("site:submit"), {"image": SimpleUploadedFile("a.jpg", photos.encoded("JPEG"))})
    visitor = Client()
    session = visitor.session
    session["trial_job"] = str(Job.objects.get().pk)
    session.save()

    assert result(visitor).status_code == 410


def test_after_an_hour_its_files_are_gone(instant_worker):
    visitor = Client()
    send(visitor)
    link = result(visitor).context["cutout_url"]
    job = Job.objects.get()
    assert job.expires_at - job.created_at == dt.timedelta(hours=1)
    assert list(storage.files_under("teams/"))
    Job.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert result(visitor).status_code == 410  # also before the sweep

    assert jobs_expire() == 1

    assert list(storage.files_under("teams/")) == []
    assert visitor.get(link).status_code == 404
    assert result(visitor).status_code == 410


def test_a_signed_in_person_is_sent_to_the_studio(instant_worker, alice: Person):
    assert send(alice.browser())["Location"] == "/"
    assert not Job.objects.exists()


def test_the_form_needs_its_token(instant_worker):
    assert send(Client(enforce_csrf_checks=True)).status_code == 403
