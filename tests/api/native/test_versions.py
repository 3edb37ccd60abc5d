"""Tests of the native API: corrections and saved edits of a picture are stored as versions of this picture."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.urls import reverse

from jobs.models import Artifact, Job, JobImage, PendingDeletion, UsageEntry, Version
from jobs.results import storage
from jobs.versions.corrections import correction_units
from jobs.work.retention import job_purge
from tests.cast import Person
from tests.quota.actions import set_quota

from .sent import photo

pytestmark = pytest.mark.django_db
JSON = "application/json"
BOX = {"method": "boxes", "boxes": [[10, 10, 200, 200]]}


@pytest.fixture
def job(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> dict[str, Any]:
    return alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes, "bag.jpg")}).json()


def again(person: Person, job: dict[str, Any], **options: Any) -> Any:
    return person.api().post(f"/api/jobs/{job['id']}/again?wait=5", options or BOX, JSON)


def versions(person: Person, job: dict[str, Any]) -> dict[str, Any]:
    return person.api().get(f"/api/jobs/{job['id']}/versions/").json()


def save(person: Person, job: dict[str, Any], **values: Any) -> Any:
    return person.api().post(f"/api/jobs/{job['id']}/versions/", values, JSON)


def is_stored(key: str) -> bool:
    return key in set(storage.files_under("teams/"))


def charged() -> int:
    return sum(UsageEntry.objects.values_list("units", flat=True))


def test_a_correction_is_a_version_of_the_picture_and_no_entry_of_its_own(alice: Person, job):
    run = again(alice, job).json()

    assert run["corrects"] == job["images"][0]["id"]
    assert [entry["id"] for entry in alice.api().get("/api/jobs/").json()["results"]] == [job["id"]]
    assert alice.browser().get(reverse("site:gallery")).content.decode().count('class="thumb"') == 1
    found = versions(alice, job)["versions"]
    assert [(version["number"], version["job"], version["method"]) for version in found] == [
        (1, job["id"], "auto"),
        (2, run["id"], "boxes"),
    ]
    assert alice.api().get(found[1]["thumbnail"]).status_code == 200


def test_a_correction_of_a_correction_corrects_the_same_picture(alice: Person, job):
    run = again(alice, again(alice, job).json()).json()

    assert run["corrects"] == job["images"][0]["id"]
    assert len(versions(alice, run)["versions"]) == 3


def test_corrections_cost_nothing_more_up_to_the_limit(alice: Person, job, settings):
    settings.MATTING_FREE_CORRECTIONS = 2
    before = charged()

    for expected in (0, 0, 1, 2):
        assert again(alice, job).status_code == 200
        assert charged() - before == expected
    assert versions(alice, job)["free_corrections_left"] == 0


def test_deleting_versions_gives_no_free_corrections_back(alice: Person, job, settings):
    settings.MATTING_FREE_CORRECTIONS = 1
    again(alice, job)
    alice.api().delete(f"/api/jobs/{job['id']}/versions/2/")
    before = charged()

    again(alice, job)

    assert charged() - before == 1


def test_a_finer_model_costs_what_it_counts_more(alice: Person, job):
    quota = set_quota(alice, quality_units={"fine": 3})
    image = JobImage.objects.get(pk=job["images"][0]["id"])

    units = [correction_units(image, count=1, quality=quality, quota=quota) for quality in ("fast", "fine")]

    assert units == [0, 2]


def test_a_free_correction_needs_no_quota_and_one_beyond_the_limit_does(alice: Person, job, settings):
    settings.MATTING_FREE_CORRECTIONS = 1
    set_quota(alice, images_per_day=1)

    assert again(alice, job).status_code == 200
    refused = again(alice, job)

    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert Job.objects.count() == 2
    assert JobImage.objects.get(pk=job["images"][0]["id"]).runs_again == 1


def test_a_saved_edit_keeps_its_settings_and_stands_for_the_picture(alice: Person, job):
    edit = {
        "options": {"erosion": 3, "background": "#ffffff"},
        "dropped": [],
        "strokes": [{"mode": "erase", "width": 20, "blur": 0, "points": [[10, 10], [50, 50]]}],
    }

    saved = save(alice, job, erosion=3, background="#ffffff", name="On white", edit=edit)

    assert saved.status_code == 201
    version = saved.json()
    assert (version["number"], version["name"], version["is_shown"]) == (2, "On white", True)
    assert alice.api().get(f"/api/jobs/{job['id']}/versions/2/").json()["edit"] == edit
    thumbnail = alice.api().get(version["thumbnail"])
    assert thumbnail["Content-Type"] == "image/webp"
    assert (
        version["thumbnail"].split("?")[0].removeprefix("http://testserver")
        in alice.browser().get(reverse("site:gallery")).content.decode()
    )
    packed = alice.api().get(f"/api/jobs/{job['id']}/zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(packed))) as archive:
        assert archive.namelist() == ["bag.png"]
        assert archive.read("bag.png") == alice.api().get(version["file"]["url"]).getvalue()


def test_what_the_editor_shows_is_kept_with_the_version_it_is_made_from(alice: Person, job):
    again(alice, job)
    edit = {"options": {"threshold": 20, "crop": True}}

    kept = alice.api().put(f"/api/jobs/{job['id']}/edit", {"version": 2, "edit": edit}, JSON)

    assert kept.status_code == 204
    page = alice.browser().get(f"/jobs/{job['id']}/")
    assert page.context["edit_json"] == {"version": 2, "edit": edit}
    assert [version["is_shown"] for version in versions(alice, job)["versions"]] == [False, True]


@pytest.mark.parametrize(
    "edit",
    [
        {"options": {"erosion": 99}},
        {"options": {"colour": "red"}, "script": "<b>"},
        {"strokes": [{"mode": "paint", "width": 1, "blur": 0, "points": [[0, 0]]}]},
        {"strokes": [{"mode": "erase", "width": 1, "blur": 0, "points": [[0, 0]] * 200_000}]},
        "text",
    ],
)
def test_an_edit_that_no_editor_writes_is_refused(alice: Person, job, edit):
    answer = alice.api().put(f"/api/jobs/{job['id']}/edit", {"edit": edit}, JSON)

    assert answer.status_code in (413, 422)
    assert JobImage.objects.get(pk=job["images"][0]["id"]).edit is None


def test_a_version_is_named_and_deleted_with_its_files(alice: Person, job):
    save(alice, job, name="One", edit={})
    url = f"/api/jobs/{job['id']}/versions/2/"

    assert alice.api().patch(url, {"name": "Two"}, JSON).json()["name"] == "Two"
    keys = [file.key for file in Artifact.objects.filter(kind__in=("variant", "variant_small"))]
    assert len(keys) == 2
    assert alice.api().delete(url).status_code == 204

    assert not any(is_stored(key) for key in keys)
    assert PendingDeletion.objects.count() == 0
    assert alice.api().get(url).status_code == 404
    assert [version["is_shown"] for version in versions(alice, job)["versions"]] == [True]


def test_a_correction_lives_as_long_as_a_version_is_made_from_it(alice: Person, job):
    run = again(alice, job).json()
    save(alice, run, name="By hand", edit={})

    alice.api().delete(f"/api/jobs/{job['id']}/versions/2/")
    assert Job.objects.filter(pk=run["id"]).exists()

    alice.api().delete(f"/api/jobs/{job['id']}/versions/3/")
    assert not Job.objects.filter(pk=run["id"]).exists()


def test_the_first_result_cannot_be_deleted_as_a_version(alice: Person, job):
    assert alice.api().delete(f"/api/jobs/{job['id']}/versions/1/").status_code == 422


def test_a_deleted_picture_takes_its_versions_and_their_files_with_it(alice: Person, job):
    save(alice, again(alice, job).json(), edit={})
    keys = list(Artifact.objects.values_list("key", flat=True))

    job_purge(actor=alice.actor, jobs=[Job.objects.get(pk=job["id"])])

    assert (Job.objects.count(), Version.objects.count(), Artifact.objects.count()) == (0, 0, 0)
    assert not any(is_stored(key) for key in keys)


def test_a_picture_deleted_from_a_batch_takes_its_corrections_with_it(alice: Person, jpeg_bytes, instant_worker):
    both = [photo(jpeg_bytes, "one.jpg"), photo(jpeg_bytes, "two.jpg")]
    batch = alice.api().post("/api/jobs/?wait=5", {"image": both}).json()
    run = again(alice, batch, position=1, **BOX).json()
    chosen = {"image": batch["images"][1]["id"], "do": "delete"}

    alice.browser().post(reverse("site:selection"), chosen)

    assert not Job.objects.filter(pk=run["id"]).exists()
    assert Job.objects.get().images_total == 1


def test_the_position_in_the_query_chooses_the_picture_of_a_batch(alice: Person, jpeg_bytes, instant_worker):
    both = [photo(jpeg_bytes, "one.jpg"), photo(jpeg_bytes, "two.jpg")]
    batch = alice.api().post("/api/jobs/?wait=5", {"image": both}).json()
    again(alice, batch, position=1, **BOX)
    url = f"/api/jobs/{batch['id']}/versions/"

    counts = [len(alice.api().get(f"{url}?position={position}").json()["versions"]) for position in (0, 1)]
    shown = alice.api().get(f"{url}2/?position=1")
    renamed = alice.api().patch(f"{url}2/?position=1", {"name": "Box"}, JSON)
    deleted = alice.api().delete(f"{url}2/?position=1")

    assert counts == [1, 2]
    assert (shown.status_code, renamed.json()["name"], deleted.status_code) == (200, "Box", 204)


def test_another_team_sees_and_changes_no_version(charlie: Person, alice: Person, job):
    save(alice, job, edit={})
    url = f"/api/jobs/{job['id']}/versions/"

    answers = [
        charlie.api().get(url),
        charlie.api().get(f"{url}2/"),
        charlie.api().patch(f"{url}2/", {"name": "Mine"}, JSON),
        charlie.api().delete(f"{url}2/"),
        charlie.api().put(f"/api/jobs/{job['id']}/edit", {"edit": {}}, JSON),
        save(charlie, job, edit={}),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert Version.objects.get().name == ""


def test_a_failed_correction_is_no_version(alice: Person, job):
    Version.objects.create(
        image_id=job["images"][0]["id"],
        number=2,
        run=Job.objects.create(team=alice.team, dialect="web", options={}, status=Job.Status.FAILED),
    )

    assert [version["number"] for version in versions(alice, job)["versions"]] == [1]


def test_a_correction_opened_by_its_own_address_leads_to_its_picture(alice: Person, job):
    run = again(alice, job).json()

    answer = alice.browser().get(f"/jobs/{run['id']}/")

    assert answer.status_code == 302
    assert answer["Location"] == f"/jobs/{job['id']}/0/"
