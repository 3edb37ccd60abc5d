"""Tests of the gallery: order by day, small originals, running the model again, and pictures of another team."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from jobs.intake.sources import clean_path
from jobs.models import Artifact, Job, JobImage, Membership
from tests.cast import Person
from tests.quota.actions import submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def finished(alice: Person, jpeg_bytes, instant_worker) -> Job:
    alice.browser().post(reverse("site:submit"), {"image": SimpleUploadedFile("cat.jpg", jpeg_bytes)})
    return Job.objects.get()


def test_the_gallery_is_sorted_and_grouped_by_day(alice: Person):
    for days, name in ((3, "b.jpg"), (1, "c.jpg"), (0, "A.jpg")):
        job = submit(alice)
        Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - dt.timedelta(days=days))
        job.images.update(name=name)
    browser = alice.browser()

    def rows(**query: str) -> list[tuple[str, str]]:
        found = browser.get(reverse("site:gallery"), query).context["rows"]
        return [(row.image.name, row.day_text) for row in found]

    newest = rows()
    assert [name for name, _day in newest] == ["A.jpg", "c.jpg", "b.jpg"]
    assert [day for _name, day in newest[:2]] == ["Today", "Yesterday"]
    assert rows(order="oldest") == [newest[2], newest[1], newest[0]]
    assert rows(order="name") == [("A.jpg", ""), ("b.jpg", ""), ("c.jpg", "")]


def test_a_day_is_named_once_over_two_pages(alice: Person, monkeypatch):
    monkeypatch.setattr("jobs.web.gallery.PAGE_SIZE", 2)
    submit(alice, 3)

    pages = [alice.browser().get(reverse("site:gallery"), {"page": page}).context["rows"] for page in (1, 2)]

    assert [[row.day_text for row in page] for page in pages] == [["Today", ""], [""]]


def test_a_small_original_is_shown_to_its_team_alone(alice: Person, charlie: Person, finished):
    address = reverse("site:original", args=[finished.images.get().id])

    small = alice.browser().get(address)

    assert small["Content-Type"] == "image/webp"
    assert max(Image.open(io.BytesIO(small.content)).size) <= 400
    assert charlie.browser().get(address).status_code == 404


def test_a_damaged_original_shows_a_placeholder_that_is_not_kept(alice: Person, finished, monkeypatch):
    monkeypatch.setattr("jobs.results.storage.read", lambda key: b"no picture")

    answer = alice.browser().get(reverse("site:original", args=[finished.images.get().id]))

    assert answer["Location"].endswith("admin/gone.svg")
    assert answer["Cache-Control"] == "no-store"


def test_chosen_pictures_are_run_again_with_other_settings(alice: Person, charlie: Person, finished):
    image = finished.images.get()
    browser = alice.browser()

    shown = browser.post(reverse("site:selection"), {"do": "again", "image": [image.id]})
    assert f'name="image" value="{image.id}"' in shown.content.decode()
    browser.post(reverse("site:again"), {"do": "run", "image": [image.id], "threshold": "20", "crop": "true"})

    again = Job.objects.exclude(pk=finished.pk).get()
    assert (again.options["threshold"], again.options["crop"]) == (20, True)
    assert again.images.get().name == image.name
    charlie.browser().post(reverse("site:again"), {"do": "run", "image": [image.id]})
    assert Job.objects.count() == 2


def test_settings_out_of_range_are_refused_beside_the_chosen_pictures(alice: Person, finished):
    body = {"do": "run", "image": [finished.images.get().id], "threshold": "900"}

    answer = alice.browser().post(reverse("site:again"), body)

    assert answer.status_code == 422
    assert "threshold" in answer.content.decode()
    assert Job.objects.count() == 1


def test_a_script_learns_how_many_pictures_were_deleted(alice: Person, finished):
    job = submit(alice, 2)
    Job.objects.filter(pk=job.pk).update(status="running")
    running = job.images.first()
    chosen = [finished.images.get().id, running.id]

    answer = alice.browser().post(reverse("site:selection"), {"do": "delete", "image": chosen, "quiet": "1"})

    assert answer.json() == {"deleted": 1, "kept": 1}


def test_a_picture_of_another_team_of_ones_own_offers_to_switch(alice: Person, bob: Person, charlie: Person, finished):
    Membership.objects.create(team=charlie.team, user=bob.user, role="member")
    browser = bob.browser()
    address = reverse("site:job", args=[finished.id])
    browser.post(reverse("site:team-switch"), {"team": charlie.team.id})

    offer = browser.get(address)
    assert offer.status_code == 404
    assert alice.team.name in offer.content.decode()
    assert f'value="{alice.team.id}"' in offer.content.decode()

    assert browser.post(reverse("site:team-switch"), {"team": alice.team.id, "next": address})["Location"] == address
    assert browser.get(address).status_code == 200
    assert "elsewhere.html" not in {template.name for template in charlie.browser().get(address).templates}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("cat.jpg", "cat.jpg"),
        ("shoes/left/cat.jpg", "shoes/left/cat.jpg"),
        ("C:\\pictures\\cat.jpg", "C:/pictures/cat.jpg"),
        ("../../etc/cat.jpg", "etc/cat.jpg"),
        ("/" + "a/" * 20 + "cat.jpg", "a/" * 8 + "cat.jpg"),
        ("x" * 200 + "/" + "y" * 100 + "/cat.jpg", "y" * 100 + "/cat.jpg"),
    ],
)
def test_a_path_keeps_its_folders_and_leads_nowhere_else(path: str, expected: str):
    assert clean_path(path) == expected


def test_a_folder_that_is_sent_with_an_upload_is_kept_in_the_zip(alice: Person, jpeg_bytes, instant_worker):
    api = alice.api()
    file = SimpleUploadedFile("cat.jpg", jpeg_bytes)
    upload = api.post("/api/uploads/", {"image": file, "folder": "pets/indoors"}, format="multipart").json()
    job = api.post("/api/jobs/", {"upload": [upload["id"]]}, format="json").json()

    zipped = b"".join(alice.browser().get(reverse("site:job-zip", args=[job["id"]])).streaming_content)

    assert JobImage.objects.get().name == "pets/indoors/cat.jpg"
    assert b"pets/indoors/cat.png" in zipped
    assert Artifact.objects.filter(kind="cutout").exists()
