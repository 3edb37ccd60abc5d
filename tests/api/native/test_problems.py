"""Tests of the native API: error messages name the invalid value and the allowed values."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jobs.models import Job, Scope
from jobs.teams.keys import key_create
from jobs.work.cancel import job_cancel
from tests.cast import Person

from .sent import files_of, photo

pytestmark = pytest.mark.django_db
JOBS = "/api/jobs/"


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"treshold": 5}, "treshold", "did you mean threshold?"),
        ({"method": "magic"}, "method", "choose from auto, boxes, points, instances"),
        ({"threshold": 99}, "threshold", "a whole number from 0 to 50"),
        ({"crop_margin": 2}, "crop_margin", "from 0 to 0.5"),
        ({"callback_url": "http://127.0.0.1/"}, "callback_url", ""),
        ({"crop": "maybe"}, "crop", "true or false"),
        ({"file": "photo.jpg"}, "file", "the fields are method, boxes"),
    ],
)
def test_a_problem_names_the_field_and_what_it_may_be(
    alice: Person, jpeg_bytes: bytes, idle_worker: None, sent: dict[str, Any], field: str, words: str
) -> None:
    problem = alice.api().post(JOBS, {"image": photo(jpeg_bytes), **sent}).json()

    assert (problem["field"], problem["code"]) == (field, problem["type"].partition("#")[2])
    assert words in problem["detail"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "near"),
    [
        ("get", "/api/jobs/{id}/?wiat=5", "wait"),
        ("post", "/api/jobs/{id}/again?wiat=5", "wait"),
        ("get", "/api/jobs/?pages=2", "page"),
        ("get", "/api/jobs/{id}/zip?wait=5", ""),
        ("get", "/api/webhooks/deliveries/?stauts=failed", "status"),
        ("post", "/api/jobs/{id}/variants?threshold=5", ""),
    ],
)
def test_an_unknown_name_in_a_query_is_an_error(
    alice: Person, job: dict[str, Any], method: str, path: str, near: str
) -> None:
    answer = getattr(alice.api(), method)(path.format(**job), content_type="application/json")

    assert (answer.status_code, answer.json()["title"]) == (422, "A parameter is not known.")
    assert (
        f"did you mean {near}?" if near else "is not a query parameter; there are no query parameters"
    ) in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "sent", "title"),
    [
        ("/api/jobs/{id}/variants", {"position": 7}, "There is no such picture."),
        ("/api/jobs/{id}/again", {"position": 7}, "There is no such picture."),
        (JOBS, {"upload": "7a1b1b6e-3b3a-4f26-bd0b-6f5e4b4f4b4b"}, "There is no such upload, or it has expired."),
        (JOBS, {"image_url": "https://pictures.example/a", "recipe": "nope"}, "There is no such recipe."),
        ("/api/jobs/{id}/variants", {"recipe": "nope"}, "There is no such recipe."),
        (JOBS, {"image_url": "https://pictures.example/a", "points": [[1, 1, 7]]}, "A point is not valid."),
        (JOBS, {"image_url": "https://pictures.example/a", "boxes": [[5, 5, 1, 1]]}, "A box is not valid."),
    ],
)
def test_the_title_tells_what_was_wrong(
    alice: Person, job: dict[str, Any], path: str, sent: dict[str, Any], title: str
) -> None:
    problem = alice.api().post(path.format(**job), sent, "application/json").json()

    assert (problem["title"], problem["field"]) == (title, list(sent)[-1])


def test_a_url_that_does_not_exist_is_a_problem_with_its_request(client: Client, db: None) -> None:
    answer = client.get("/api/jobs/not-an-id/")

    assert (answer.status_code, answer.json()["request_id"]) == (404, answer["X-Request-Id"])


def test_an_unknown_status_or_filter_of_a_list_is_an_error(alice: Person) -> None:
    unknown, misspelt = (alice.api().get(f"/api/jobs/?{query}") for query in ("status=done", "stauts=failed"))

    assert (unknown.status_code, unknown.json()["field"]) == (422, "status")
    assert "queued, running, succeeded" in unknown.json()["detail"]
    assert "did you mean status?" in misspelt.json()["detail"]


def test_a_missing_scope_is_named(alice: Person) -> None:
    _, secret = key_create(team=alice.team, name="reader", scopes=[Scope.READ])

    problem = Client(headers={"Authorization": f"Bearer {secret}"}).post(JOBS, {}).json()

    assert (problem["code"], problem["scope"], problem["title"]) == (
        "permission_denied",
        "submit",
        "The key lacks a scope.",
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/webhooks/"),
        ("get", "/api/webhooks/callback-secret"),
        ("post", "/api/webhooks/callback-secret"),
    ],
)
def test_a_key_without_admin_is_told_this_scope(alice: Person, method: str, path: str) -> None:
    _, secret = key_create(team=alice.team, name="shop", scopes=[Scope.READ, Scope.SUBMIT])
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    answer = getattr(client, method)(path, content_type="application/json")

    assert (answer.status_code, answer.json()["scope"]) == (403, "admin")


def test_an_expired_link_says_so(client: Client, job: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    url = files_of(job, "cutout")[0]["url"]
    import datetime as dt

    from django.utils import timezone

    later = timezone.now() + dt.timedelta(days=1)
    monkeypatch.setattr("jobs.results.storage.timezone.now", lambda: later)

    answer = client.get(url)

    assert (answer.status_code, answer.json()["title"]) == (403, "The link has expired.")


def test_a_title_is_in_the_language_of_the_request_and_fits_too(client: Client, job: dict[str, Any]) -> None:
    url = files_of(job, "cutout")[0]["url"]

    german, chinese = (client.get(f"{url}x", headers={"Accept-Language": name}).json() for name in ("de", "zh-hans"))

    assert german["title"] == "Der Link ist ungültig."
    assert german["detail"].startswith("Der Link ist ungültig. (")
    assert chinese["title"] == "链接无效。"


def test_a_link_that_was_changed_says_so(client: Client, job: dict[str, Any]) -> None:
    url = files_of(job, "cutout")[0]["url"]

    changed, unsigned = client.get(f"{url}x"), client.get(url.partition("?")[0])

    assert (changed.status_code, changed.json()["title"]) == (401, "The link is not valid.")
    assert (unsigned.status_code, unsigned.json()["title"]) == (401, "A valid API key is needed.")


@pytest.mark.parametrize(
    "changes",
    [
        {"boxes": [[1, 1, 90, 90]]},
        {"points": [[9, 9, 1]]},
        {"method": "instances"},
        {"subject": "person"},
        {"quality": "fine"},
        {"refine": False},
    ],
)
def test_a_variant_refuses_what_only_a_new_run_can_change(
    alice: Person, job: dict[str, Any], changes: dict[str, Any]
) -> None:
    answer = alice.api().post(f"/api/jobs/{job['id']}/variants", changes, "application/json")

    assert (answer.status_code, answer.json()["field"]) == (422, next(iter(changes)))
    assert "`again`" in answer.json()["detail"]
    unchanged = {"method": "auto", "subject": "auto", "refine": True, "boxes": [], "points": [], "quality": "fast"}
    assert alice.api().post(f"/api/jobs/{job['id']}/variants", unchanged, "application/json").status_code == 200


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"output": 2}, "output"),
        ({"output": 2, "finish": {"background": {"type": "color"}}}, "output"),
        ({"output": 2, "recipe": "amazon-main", "keep": True}, "output"),
        ({"keep": True, "for_screen": True}, "for_screen"),
    ],
)
def test_a_variant_refuses_what_would_have_no_effect(
    alice: Person, job: dict[str, Any], sent: dict[str, Any], field: str
) -> None:
    answer = alice.api().post(f"/api/jobs/{job['id']}/variants", sent, "application/json")

    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.json()["title"] == "A parameter has no effect here."


def test_the_options_of_single_uploads_belong_to_uploads_of_the_request(
    alice: Person, jpeg_bytes: bytes, idle_worker: None
) -> None:
    upload, other = (alice.api().post("/api/uploads/", {"image": photo(jpeg_bytes)}).json()["id"] for _ in range(2))

    def problem(own: dict[str, Any]) -> dict[str, Any]:
        return alice.api().post(JOBS, {"upload": [upload], "settings": own}, "application/json").json()

    assert problem({other: {"threshold": 5}})["field"] == f"settings.{other}"
    assert problem({"photo": {"threshold": 5}})["field"] == "settings"
    misspelt, outside = problem({upload: {"treshold": 5}}), problem({upload: {"threshold": 99}})
    assert (misspelt["field"], outside["field"]) == (f"settings.{upload}.treshold", f"settings.{upload}.threshold")
    assert "did you mean threshold?" in misspelt["detail"]
    assert not Job.objects.exists()
    assert problem({upload.upper(): {"threshold": 5}})["images"][0]["settings"] == {"threshold": 5}


@pytest.mark.parametrize(
    ("recipe", "field", "hint"),
    [
        ({"canvs": {}}, "canvs", "did you mean canvas?"),
        ({"canvas": {"widht_px": 9}}, "canvas.widht_px", "did you mean width_px?"),
        ({"background": {"type": "color", "colr": "#fff"}}, "background.colr", "did you mean color?"),
        ({"outputs": [{"formt": "png"}]}, "outputs.0.formt", "did you mean format?"),
        ({"shadow": {"x": 1}}, "shadow.x", "the fields are type, strength"),
    ],
)
def test_an_unknown_field_of_a_recipe_is_told_with_the_known_ones(
    alice: Person, recipe: dict[str, Any], field: str, hint: str
) -> None:
    sent = {"name": "mine", "recipe": {"title": "Mine", **recipe}}

    problem = alice.api().post("/api/recipes/", sent, "application/json").json()

    assert (problem["title"], problem["field"]) == ("A parameter is not known.", field)
    assert hint in problem["detail"]


def test_a_misspelt_name_is_told_before_the_field_that_it_leaves_missing(alice: Person) -> None:
    sent = {"name": "mine", "recipe": {"titel": "Mine"}}

    problem = alice.api().post("/api/recipes/", sent, "application/json").json()

    assert problem["field"] == "titel"
    assert "did you mean title?" in problem["detail"]


@pytest.mark.parametrize(
    ("path", "sent", "field", "name"),
    [
        (JOBS, {"image_base64": "!!"}, "image_base64", "image_base64 1"),
        (JOBS, {"image": photo(b"text", "notes.txt")}, "image", "notes.txt"),
        ("/api/uploads/", {"image": photo(b"text", "notes.txt")}, "image", "notes.txt"),
        ("/api/backgrounds/", {"name": "wall", "image": photo(b"text", "notes.txt")}, "image", "notes.txt"),
    ],
)
def test_a_picture_that_cannot_be_read_is_named_with_its_field(
    alice: Person, path: str, sent: dict[str, Any], field: str, name: str
) -> None:
    content_type = {} if "image" in sent else {"content_type": "application/json"}

    problem = alice.api().post(path, sent, **content_type).json()

    assert (problem["code"], problem["field"]) == ("image_unreadable", field)
    assert name in problem["detail"]


def test_the_zip_of_a_cancelled_job_is_an_error(alice: Person, jpeg_bytes: bytes, idle_worker: None) -> None:
    job = alice.api().post(JOBS, {"image": photo(jpeg_bytes)}).json()
    job_cancel(actor=alice.actor, job=Job.objects.get())

    answer = alice.api().get(f"/api/jobs/{job['id']}/zip")

    assert (answer.status_code, answer.json()["code"]) == (409, "canceled")


def test_a_signed_link_of_the_site_is_a_source_without_a_download(
    alice: Person, charlie: Person, job: dict[str, Any]
) -> None:
    link = files_of(job, "cutout")[0]["url"]
    forged = link.replace("signature=", "signature=x")

    chained = charlie.api().post("/api/jobs/?wait=5", {"image_url": link}, "application/json").json()
    downloaded = charlie.api().post("/api/jobs/?wait=5", {"image_url": forged}, "application/json").json()

    assert (chained["status"], chained["images"][0]["width"]) == ("succeeded", 512)
    assert (downloaded["status"], downloaded["error"]["code"]) == ("failed", "download_failed")
