"""Tests of the tasks of the DashScope-compatible API, with a fake model whose result is known."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from jobs.api.dashscope.serializers import OPTIONS
from jobs.errors import DownloadFailed
from jobs.intake.sources import UrlSource
from jobs.models import ApiKey, Job, JobImage
from jobs.teams.actor import Actor
from jobs.teams.keys import key_revoke
from jobs.work.submission import Door, job_submit
from tests import photos
from tests.api.matching import assert_matches, fixture
from tests.cast import Person
from tests.fakes import EmptyEngine, FakeEngine, answering

SUBMIT = "/api/v1/services/aigc/image2image/image-synthesis"
TASKS = "/api/v1/tasks"
ASYNC = {"X-DashScope-Async": "enable"}
FIXTURE = fixture("dashscope/tasks.json")
ERRORS = fixture("dashscope/errors.json")


def submit(person: Person, *, path: str = SUBMIT, **inputs: Any) -> str:
    """Submit a picture and return the task's id.

    path: the URL path of the submission route. inputs: the fields of the object `input` in the request body; without
    them, the request contains the `input` of the fixture file.
    """
    body = FIXTURE["submit"]["request"] | ({"input": inputs} if inputs else {})
    response = person.api().post(path, body, content_type="application/json", headers=ASYNC)
    assert response.status_code == 200, response.content
    return response.json()["output"]["task_id"]


def made(person: Person) -> str:
    """Create a task without an HTTP request, which the rate limit would count, and return the task's id."""
    job = job_submit(
        actor=Actor(team=person.team, key=person.key, request_id=str(uuid.uuid4())),
        door=Door(dialect="dashscope", retention_hours=24),
        options=OPTIONS,
        sources=[UrlSource("http://example.com/people.jpg")],
    )
    return str(job.id)


def task(person: Person, task_id: str) -> dict[str, Any]:
    response = person.api().get(f"{TASKS}/{task_id}")
    assert response.status_code == 200
    return response.json()


def listed(person: Person, **query: Any) -> dict[str, Any]:
    return person.api().get(TASKS, query).json()


def picture_at(url: str) -> Image.Image:
    """Download the picture at a signed URL without a key, and return it."""
    response = Client().get(url.removeprefix("http://testserver"))
    assert response.status_code == 200
    return Image.open(io.BytesIO(b"".join(response.streaming_content)))


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Return a dict of the pictures that the worker can download, by URL; all other downloads fail."""
    known = {"http://example.com/people.jpg": photos.encoded("JPEG", quality=90)}

    def download(url: str) -> bytes:
        if url not in known:
            raise DownloadFailed
        return known[url]

    monkeypatch.setattr("jobs.work.tasks._downloaded", download)
    return known


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("task_name", ["image2image", "text2image"])
def test_a_submission_is_answered_with_a_pending_task(alice: Person, task_name: str) -> None:
    response = alice.api().post(
        f"/api/v1/services/aigc/{task_name}/image-synthesis",
        FIXTURE["submit"]["request"],
        content_type="application/json",
        headers=ASYNC | {"X-DashScope-WorkSpace": "llm-1"},
    )

    assert response.status_code == 200
    assert_matches(response.json(), FIXTURE["submit"]["answer"])


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize(
    "inputs",
    [
        {"prompt": "x", "image_url": "http://example.com/people.jpg"},
        {"prompt": "x", "base_image_url": "http://example.com/people.jpg"},
        {"prompt": "x", "ref_img": "http://example.com/people.jpg"},
        {"prompt": "x", "images": ["http://example.com/people.jpg"]},
    ],
)
def test_the_picture_is_found_in_every_field_that_the_sdk_has_for_one(alice: Person, inputs: dict[str, Any]) -> None:
    submit(alice, **inputs)

    assert JobImage.objects.get().source_url == "http://example.com/people.jpg"


@pytest.mark.parametrize("headers", [{}, {"X-DashScope-Async": "disable"}])
def test_a_submission_without_the_async_header_is_denied(alice: Person, headers: dict[str, str]) -> None:
    response = alice.api().post(SUBMIT, FIXTURE["submit"]["request"], content_type="application/json", headers=headers)

    assert response.status_code == 403
    expected = {
        "code": "AccessDenied",
        "message": "current user api does not support synchronous calls",
        "request_id": "<uuid>",
    }
    assert_matches(response.json(), expected)


@pytest.mark.parametrize("case", ERRORS["submissions"], ids=lambda case: case["when"])
def test_a_submission_is_refused_when(alice: Person, case: dict[str, Any]) -> None:
    body = case["raw"] if "raw" in case else json.dumps(case["body"])

    response = alice.api().post(SUBMIT, body, content_type="application/json", headers=ASYNC)

    assert response.status_code == case["status"]
    assert response["Content-Type"] == "application/json"
    assert_matches(response.json(), ERRORS["answer"] | {"code": case["code"], "message": case["message"]})
    assert not Job.objects.exists()


@pytest.mark.parametrize("kind", ["none", "wrong", "revoked"])
def test_a_wrong_key_is_an_invalid_one(alice: Person, kind: str) -> None:
    if kind == "revoked":
        key_revoke(key=alice.key)
    headers = {"none": {}, "wrong": {"Authorization": "Bearer sk-1"}, "revoked": alice.headers}[kind]

    response = Client(headers=headers).get(f"{TASKS}/{uuid.uuid4()}")

    assert response.status_code == 401
    expected = {"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "<uuid>"}
    assert_matches(response.json(), expected)


def test_a_key_without_the_submit_scope_is_denied(alice: Person) -> None:
    ApiKey.objects.filter(pk=alice.key.pk).update(scopes=["read"])

    response = alice.api().post(SUBMIT, FIXTURE["submit"]["request"], content_type="application/json", headers=ASYNC)

    assert (response.status_code, response.json()["code"]) == (403, "AccessDenied")


@pytest.mark.usefixtures("idle_worker")
def test_a_task_that_waits_is_pending(alice: Person) -> None:
    assert_matches(task(alice, submit(alice)), FIXTURE["PENDING"])


@pytest.mark.usefixtures("idle_worker")
def test_a_task_that_a_worker_holds_is_running(alice: Person) -> None:
    task_id = submit(alice)
    JobImage.objects.get().claim(worker="w", lease_s=60)
    Job.objects.get().start()

    assert_matches(task(alice, task_id), FIXTURE["RUNNING"])


@pytest.mark.usefixtures("instant_worker")
def test_a_task_that_succeeded_has_links_usage_and_people(alice: Person) -> None:
    assert_matches(task(alice, submit(alice)), FIXTURE["SUCCEEDED"])


@pytest.mark.usefixtures("instant_worker")
def test_the_mask_holds_one_value_a_person_and_the_other_picture_shows_them(alice: Person) -> None:
    output = task(alice, submit(alice))["output"]

    mask, shown = picture_at(output["output_image_url"]), picture_at(output["output_vis_image_url"])

    assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (512, 512))
    assert (shown.mode, shown.size) == ("RGB", (512, 512))
    ids = np.asarray(mask)
    assert np.unique(ids).tolist() == [0, 1, 2]
    for person in output["instances"]:
        assert person["area"] == (ids == person["id"]).sum()
        rows, columns = np.nonzero(ids == person["id"])
        assert person["box"] == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    changed = (np.asarray(shown) != photos.astronaut()).any(axis=2)
    assert changed[ids > 0].mean() > 0.9


@pytest.mark.parametrize("way", ["function", "url"])
def test_a_picture_that_the_operators_check_refuses_fails_the_task(
    alice: Person, settings: Settings, instant_worker: FakeEngine, checking_service: str, way: str
) -> None:
    assert not settings.MATTING_CONTENT_CHECK
    allowed = task(alice, submit(alice))
    settings.MATTING_CONTENT_CHECK = "tests.api.content_checks.refuse" if way == "function" else checking_service

    refused = task(alice, submit(alice))["output"]

    assert allowed["output"]["task_status"] == "SUCCEEDED"
    assert (refused["task_status"], refused["code"]) == ("FAILED", "InvalidParameter.ImageContent")
    assert refused["message"] == "The image content does not comply with green network verification."
    assert instant_worker.calls == ["instances"]


@pytest.mark.usefixtures("instant_worker")
def test_a_picture_without_people_succeeds_with_an_empty_mask(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(EmptyEngine()))

    output = task(alice, submit(alice))["output"]

    assert (output["task_status"], output["people"], output["instances"]) == ("SUCCEEDED", 0, [])
    assert not np.asarray(picture_at(output["output_image_url"])).any()


@pytest.mark.usefixtures("instant_worker")
def test_a_picture_that_cannot_be_downloaded_fails_the_task(alice: Person) -> None:
    answer = task(alice, submit(alice, image_url="http://example.com/gone.jpg"))

    assert_matches(answer, FIXTURE["FAILED"])


@pytest.mark.usefixtures("instant_worker")
@pytest.mark.parametrize(
    ("size", "code", "words"),
    [
        ((511, 600), "InvalidParameter", "each side needs at least 512"),
        ((600, 4097), "InvalidParameter", "each side may have at most 4096"),
        (None, "InvalidParameter.ImageFormat", "read image error"),
    ],
)
def test_a_picture_that_does_not_suit_fails_the_task(
    alice: Person, pictures: dict[str, bytes], size: tuple[int, int] | None, code: str, words: str
) -> None:
    data = b"no picture" if size is None else photos.encode(np.zeros((size[1], size[0]), np.uint8), "PNG")
    pictures["http://example.com/unsuitable"] = data

    output = task(alice, submit(alice, image_url="http://example.com/unsuitable"))["output"]

    assert (output["task_status"], output["code"]) == ("FAILED", code)
    assert words in output["message"]


def test_times_have_milliseconds_and_are_the_sites(alice: Person, idle_worker: None, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    task_id = submit(alice)
    moment = dt.datetime(2024, 5, 16, 5, 50, 1, 247_900, tzinfo=dt.UTC)
    Job.objects.update(created_at=moment)

    assert task(alice, task_id)["output"]["submit_time"] == "2024-05-16 13:50:01.247"


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("kind", ["missing", "no id at all", "another team's", "expired"])
def test_a_task_that_is_not_the_callers_to_see_is_unknown(alice: Person, charlie: Person, kind: str) -> None:
    task_id = submit(alice)
    if kind == "expired":
        Job.objects.update(expires_at=timezone.now())
    asked = {"missing": str(uuid.uuid4()), "no id at all": "x"}.get(kind, task_id)

    answer = task(charlie if kind == "another team's" else alice, asked)

    expected = FIXTURE["UNKNOWN"] | {"output": {"task_id": asked, "task_status": "UNKNOWN"}}
    assert_matches(answer, expected)


@pytest.mark.usefixtures("idle_worker")
def test_a_colleague_sees_the_teams_task(alice: Person, bob: Person) -> None:
    assert task(bob, submit(alice))["output"]["task_status"] == "PENDING"


@pytest.mark.usefixtures("instant_worker")
def test_task_and_links_live_for_a_day(alice: Person) -> None:
    output = task(alice, submit(alice))["output"]

    job = Job.objects.get()
    assert job.expires_at - job.created_at == dt.timedelta(hours=24)
    until = int(output["output_image_url"].partition("until=")[2].partition("&")[0])
    assert abs(until - job.expires_at.timestamp()) <= 2


@pytest.mark.usefixtures("idle_worker")
def test_a_pending_task_is_cancelled(alice: Person) -> None:
    task_id = submit(alice)

    response = alice.api().post(f"{TASKS}/{task_id}/cancel")

    assert response.status_code == 200
    assert_matches(response.json(), {"request_id": "<uuid>"})
    assert_matches(task(alice, task_id), FIXTURE["CANCELED"])


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("kind", ["running", "cancelled", "another team's", "missing"])
def test_no_other_task_can_be_cancelled(alice: Person, charlie: Person, kind: str) -> None:
    task_id = submit(alice)
    if kind == "running":
        JobImage.objects.get().claim(worker="w", lease_s=60)
        Job.objects.get().start()
    if kind == "cancelled":
        alice.api().post(f"{TASKS}/{task_id}/cancel")
    status = Job.objects.get().status
    client = (charlie if kind == "another team's" else alice).api()

    response = client.post(f"{TASKS}/{uuid.uuid4() if kind == 'missing' else task_id}/cancel")

    assert response.status_code == 400
    expected = {
        "code": "UnsupportedOperation",
        "message": "Failed to cancel the task, please confirm if the task is in PENDING status.",
        "request_id": "<uuid>",
    }
    assert_matches(response.json(), expected)
    assert Job.objects.get().status == status
