"""Tests of the native API: invalid submissions are rejected, and the error names the cause."""

from __future__ import annotations

import uuid

import pytest
from django.conf import settings

from jobs.models import Job
from segmentation.image import Probe
from tests.cast import Person

from .sent import photo, stored_files

pytestmark = pytest.mark.django_db


def test_points_for_a_model_that_does_not_take_them_are_refused_at_once(alice: Person, jpeg_bytes, settings, tmp_path):
    settings.MATTING_WEIGHTS = settings.SHIPPED_WEIGHTS = tmp_path / "boxes-only.safetensors"

    answer = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes), "points": "[[10, 20, 1]]"})

    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["field"]) == ("invalid_parameter", "points")
    assert "boxes-only does not take them" in answer.json()["detail"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"points": "[[5, 5]]"}, "points"),
        ({"points": "[[5, 5, 2]]"}, "points"),
        ({"points": "[[600, 5, 1]]"}, "points"),
        ({"points": "nowhere"}, "points"),
        ({"points": "[[5, 5, 1]]", "method": "instances"}, "points"),
        ({"method": "points"}, "points"),
        ({"threshold": "51"}, "threshold"),
        ({"erosion": "-1"}, "erosion"),
        ({"alpha_mode": "hazy"}, "alpha_mode"),
        ({"format": "gif"}, "format"),
        ({"background": "beige-ish"}, "background"),
        ({"boxes": "[[5, 5, 5, 5]]"}, "boxes"),
        ({"boxes": "[[600, 600, 700, 700]]"}, "boxes"),
        ({"boxes": "not json"}, "boxes"),
        ({"method": "boxes"}, "boxes"),
        ({"outputs": "cutout,hologram"}, "outputs"),
        ({"method": "x" * 100_000}, "is not a valid choice"),
        ({"crop_margin": "0.9"}, "crop_margin"),
    ],
)
def test_a_bad_parameter_is_named_and_nothing_is_kept(alice: Person, jpeg_bytes, instant_worker, fields, field):
    answer = alice.api().post("/api/jobs/?wait=10", {"image": photo(jpeg_bytes), **fields})

    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.json()["detail"]
    assert len(answer.json()["detail"]) < 400
    assert not Job.objects.exists()
    assert not stored_files()


def test_half_a_character_is_refused_and_shown_escaped(alice: Person):
    answer = alice.api().post("/api/jobs/", {"image_base64": "eA==", "method": "\ud800"}, "application/json")

    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert (
        answer.json()["detail"]
        == r'method: "\ud800" is not a valid choice; choose from auto, boxes, points, instances.'
    )


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "image_missing"),
        (b"hello, this is no picture", 422, "image_unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 422, "image_unreadable"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 200, 422, "image_unreadable"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(alice: Person, instant_worker, content, status, code):
    answer = alice.api().post("/api/jobs/", {"image": photo(content)})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Job.objects.exists()
    assert not stored_files()


def test_one_bad_picture_among_several_fails_alone_under_its_name(alice: Person, jpeg_bytes, instant_worker, settings):
    settings.MATTING_MAX_IMAGE_BYTES = len(jpeg_bytes)
    files = [photo(jpeg_bytes, "a.jpg"), photo(b"no picture", "b.jpg"), photo(jpeg_bytes + b"0" * 9, "c.jpg")]
    sent = {"image": files, "image_url": "http://127.0.0.1/d.png"}

    body = alice.api().post("/api/jobs/?wait=5", sent).json()

    assert [(image["name"], image["status"]) for image in body["images"]] == [
        ("a.jpg", "succeeded"),
        ("b.jpg", "failed"),
        ("c.jpg", "failed"),
        ("d.png", "failed"),
    ]
    codes = [image["error"]["code"] for image in body["images"][1:]]
    assert codes == ["image_unreadable", "image_too_large", "url_forbidden"]


def test_a_single_bad_picture_is_named(alice: Person, instant_worker):
    problem = alice.api().post("/api/jobs/", {"image": photo(b"no picture", "holiday.jpg")}).json()

    assert problem["detail"].startswith("holiday.jpg: ")
    assert problem["field"] == "image"


def test_a_file_over_the_limit_is_refused_by_its_size(alice: Person, jpeg_bytes, settings):
    settings.MATTING_MAX_IMAGE_BYTES = 1000

    answer = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)})

    assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")


@pytest.mark.parametrize(
    "sent",
    [
        {"image_base64": ["no base64!"] * 3},
        {"upload": [str(uuid.uuid4()) for _ in range(3)]},
        {"image_base64": ["no base64!"], "upload": [str(uuid.uuid4())], "image_url": ["http://127.0.0.1/private.png"]},
    ],
)
def test_too_many_pictures_are_counted_before_one_of_them_is_looked_at(alice: Person, settings, sent):
    settings.MATTING_MAX_IMAGES_PER_JOB = 2

    answer = alice.api().post("/api/jobs/", sent, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert "3 are more than 2" in answer.json()["detail"]


def test_a_request_without_a_picture_says_so(alice: Person):
    answer = alice.api().post("/api/jobs/", {"threshold": "10"})

    assert (answer.status_code, answer.json()["code"]) == (422, "image_missing")


def test_as_many_files_as_a_job_takes_come_in_one_request_and_one_more_is_refused_with_a_message(
    alice: Person, jpeg_bytes, idle_worker, monkeypatch
):
    monkeypatch.setattr("jobs.intake.sources.proved", lambda data, limits: Probe("jpeg", 1, 1, len(data)))

    taken = alice.api().post("/api/jobs/", {"image": [photo(b"x")] * settings.MATTING_MAX_IMAGES_PER_JOB})
    refused = alice.api().post("/api/jobs/", {"image": [photo(b"x")] * (settings.MATTING_MAX_IMAGES_PER_JOB + 1)})

    assert (taken.status_code, taken.json()["images_total"]) == (202, settings.MATTING_MAX_IMAGES_PER_JOB)
    assert (refused.status_code, refused.json()["field"]) == (422, "images")


def test_more_files_than_are_read_at_all_are_refused_with_the_same_message(alice: Person, jpeg_bytes, settings):
    settings.MATTING_MAX_IMAGES_PER_JOB, settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2, 3

    refused = alice.api().post("/api/jobs/", {"image": [photo(jpeg_bytes)] * 4})

    assert (refused.status_code, refused.json()["field"]) == (422, "images")
    assert "more than 2 in one job" in refused.json()["detail"]


def test_nothing_is_written_when_the_queue_is_away(alice: Person, jpeg_bytes, monkeypatch):
    monkeypatch.setattr("jobs.work.queue.is_reachable", lambda: False)

    answer = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)})

    assert (answer.status_code, answer.json()["code"]) == (503, "queue_unavailable")
    assert answer["Retry-After"]
    assert not Job.objects.exists()
    assert not stored_files()


@pytest.mark.parametrize("wait", ["-1", "x", "100000"])
def test_an_unreadable_wait_is_refused(alice: Person, jpeg_bytes, wait):
    answer = alice.api().post(f"/api/jobs/?wait={wait}", {"image": photo(jpeg_bytes)})

    assert (answer.status_code, "wait" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    "own",
    [{"quality": "fine"}, {"threshold": 1000}, "no object"],
    ids=["of the model", "out of range", "no object"],
)
def test_settings_that_a_picture_cannot_have_are_refused(alice: Person, jpeg_bytes, idle_worker, own):
    upload = alice.api().post("/api/uploads/", {"image": photo(jpeg_bytes, "a.jpg")}).json()["id"]

    answer = alice.api().post("/api/jobs/", {"upload": [upload], "settings": {upload: own}}, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert not Job.objects.exists()
