"""Native API: submit, read, list, cancel and delete jobs, and all errors."""

from __future__ import annotations

import base64
import io
import json
import uuid
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from jobs.models import Artifact, Job, JobImage
from segmentation.image import Probe
from tests.cast import Person

from .sent import files_of, photo

pytestmark = pytest.mark.django_db


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_photo_comes_back_as_an_rgba_cutout_of_its_own_size(alice: Person, jpeg_bytes, instant_worker):
    answer = alice.api().post("/api/jobs/?wait=10", {"image": photo(jpeg_bytes)})

    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] == "succeeded"
    cutout = alice.api().get(files_of(body, "cutout")[0]["url"])
    picture = Image.open(io.BytesIO(b"".join(cutout.streaming_content)))
    assert (picture.mode, picture.size) == ("RGBA", (512, 512))
    alpha = np.asarray(picture)[..., 3]
    assert alpha[256, 256] == 255
    assert alpha[5, 5] == 0


def test_without_wait_the_job_is_answered_as_accepted(alice: Person, jpeg_bytes, idle_worker):
    answer = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)})

    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"


def test_many_pictures_are_one_job_in_their_order(alice: Person, jpeg_bytes, png_bytes, instant_worker):
    answer = alice.api().post("/api/jobs/?wait=10", {"image": [photo(jpeg_bytes, "a.jpg"), photo(png_bytes, "b.png")]})

    body = answer.json()
    assert [image["name"] for image in body["images"]] == ["a.jpg", "b.png"]
    assert (body["images_total"], body["images_succeeded"]) == (2, 2)


def test_base64_in_json_is_taken_with_and_without_its_prefix(alice: Person, jpeg_bytes, instant_worker):
    text = base64.b64encode(jpeg_bytes).decode()

    answer = alice.api().post(
        "/api/jobs/?wait=10", {"image_base64": [text, f"data:image/jpeg;base64,{text}"]}, "application/json"
    )

    assert answer.json()["images_succeeded"] == 2


def test_a_byte_order_mark_before_json_is_let_pass(alice: Person, jpeg_bytes, idle_worker):
    body = "\ufeff" + json.dumps({"image_base64": base64.b64encode(jpeg_bytes).decode()})

    for label in ("application/json", "application/json; charset=UTF8"):
        assert alice.api().post("/api/jobs/", body, label).status_code == 202
    assert alice.api().post("/api/jobs/", body[1:], "application/json; charset=utf-16").status_code == 202


def test_a_route_matches_with_and_without_its_closing_slash(alice: Person, jpeg_bytes, idle_worker):
    job = alice.api().post("/api/jobs?wait=0", {"image": photo(jpeg_bytes)}).json()

    assert alice.api().get("/api/jobs").json()["count"] == 1
    assert alice.api().get(f"/api/jobs/{job['id']}").json()["id"] == job["id"]
    assert alice.api().get("/api/account/").status_code == 200
    assert alice.api().get("/api/jobs//").status_code == 404
    assert alice.api().post(f"/api/jobs/{job['id']}/cancel/").json()["status"] == "canceled"
    assert alice.api().delete(f"/api/jobs/{job['id']}").status_code == 204


def test_boxes_are_kept_as_they_were_sent(alice: Person, jpeg_bytes, instant_worker):
    answer = alice.api().post("/api/jobs/?wait=10", {"image": photo(jpeg_bytes), "boxes": "[[10, 20, 300, 400]]"})

    assert answer.json()["options"]["boxes"] == [[10, 20, 300, 400]]
    assert instant_worker.calls == ["boxes"]


@pytest.mark.parametrize(
    ("fields", "method"),
    [
        ({"points": "[[10, 20, 1], [30, 40, 0]]"}, "points"),
        ({"points": "[[10, 20, 1], [30, 40, 0]]", "method": "auto"}, "auto"),
        ({"points": "[[10, 20, 1], [30, 40, 0]]", "boxes": "[[10, 20, 300, 400]]"}, "boxes"),
    ],
)
def test_points_are_kept_as_they_were_sent(
    alice: Person, jpeg_bytes, instant_worker, clickable_weights, fields, method
):
    answer = alice.api().post("/api/jobs/?wait=10", {"image": photo(jpeg_bytes), **fields})

    assert answer.json()["options"]["points"] == [[10, 20, 1], [30, 40, 0]]
    assert answer.json()["options"]["method"] == method
    assert instant_worker.calls == ["points"]


def test_points_for_a_model_that_does_not_take_them_are_refused_at_once(alice: Person, jpeg_bytes, settings, tmp_path):
    settings.MATTING_WEIGHTS = tmp_path / "boxes-only.safetensors"

    answer = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes), "points": "[[10, 20, 1]]"})

    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["field"]) == ("invalid_parameter", "points")
    assert "boxes-only does not take them" in answer.json()["detail"]
    assert not Job.objects.exists()


def test_a_picture_without_a_subject_says_so_in_every_answer(alice: Person, jpeg_bytes, blind_worker):
    job = alice.api().post("/api/jobs/?wait=10", {"image": photo(jpeg_bytes)}).json()
    picture = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)}, headers={"Accept": "image/png"})

    assert job["images"][0]["foreground"] is None
    assert "nothing: no subject was found" in job["images"][0]["notes"]
    assert picture["Content-Type"] == "image/png"
    assert "nothing: no subject was found" in picture["Keyline-Notes"]


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


@pytest.mark.parametrize("header", ["Authorization: Bearer {}", "Authorization: Token {}", "X-API-KEY: {}"])
def test_a_key_opens_the_api_in_each_of_its_headers(client, alice: Person, header):
    name, _, value = header.format(alice.secret).partition(": ")

    assert client.get("/api/jobs/", headers={name: value}).status_code == 200


def test_without_a_key_the_answer_is_401_with_a_challenge(client, db):
    answer = client.get("/api/jobs/")

    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_job_is_listed_and_found_by_its_team_alone(
    alice: Person, bob: Person, charlie: Person, jpeg_bytes, idle_worker
):
    job = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)}).json()

    assert bob.api().get("/api/jobs/").json()["count"] == 1
    assert charlie.api().get("/api/jobs/").json()["count"] == 0
    assert charlie.api().get(f"/api/jobs/{job['id']}/").status_code == 404
    assert charlie.api().post(f"/api/jobs/{job['id']}/cancel").status_code == 404
    assert charlie.api().delete(f"/api/jobs/{job['id']}/").status_code == 404


def test_the_list_is_filtered_and_paged(alice: Person, jpeg_bytes, instant_worker):
    for _ in range(3):
        alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)})

    page = alice.api().get("/api/jobs/?status=succeeded&page=2&page_size=2").json()

    assert (page["count"], len(page["results"])) == (3, 1)
    assert alice.api().get("/api/jobs/?status=failed").json()["count"] == 0
    assert alice.api().get("/api/jobs/?page=0").status_code == 422


def test_a_list_costs_the_same_queries_whatever_its_length(alice: Person, jpeg_bytes, instant_worker):
    api = alice.api()
    queries = []
    for _ in range(2):
        for _ in range(2):
            api.post("/api/jobs/?wait=5", {"image": [photo(jpeg_bytes), photo(jpeg_bytes)]})
        with CaptureQueriesContext(connection) as asked:
            body = api.get("/api/jobs/").json()
        queries.append(len(asked))

    assert queries[0] == queries[1]
    assert [image["position"] for job in body["results"] for image in job["images"]] == [0, 1] * 4
    assert all(image["files"] for job in body["results"] for image in job["images"])


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


def test_a_waiting_job_is_cancelled_once(alice: Person, jpeg_bytes, idle_worker):
    job = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)}).json()

    first = alice.api().post(f"/api/jobs/{job['id']}/cancel")
    second = alice.api().post(f"/api/jobs/{job['id']}/cancel")

    assert first.json()["status"] == "canceled"
    assert (second.status_code, second.json()["code"]) == (409, "job_not_cancelable")


def test_a_deleted_job_takes_its_files_along(
    alice: Person, jpeg_bytes, instant_worker, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()
    assert stored_files()

    with django_capture_on_commit_callbacks(execute=True):
        answer = alice.api().delete(f"/api/jobs/{job['id']}/")

    assert answer.status_code == 204
    assert not stored_files()
    assert not Artifact.objects.exists()


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


def test_an_upload_is_sent_ahead_and_named_by_its_job(alice: Person, charlie: Person, jpeg_bytes, instant_worker):
    upload = alice.api().post("/api/uploads/", {"image": photo(jpeg_bytes, "cat.jpg")}).json()

    mine = alice.api().post("/api/jobs/?wait=5", {"upload": [upload["id"]]}, "application/json")
    theirs = charlie.api().post("/api/jobs/", {"upload": [upload["id"]]}, "application/json")

    assert mine.json()["images"][0]["name"] == "cat.jpg"
    assert theirs.status_code == 404


def test_the_pictures_of_a_job_tell_their_timing_and_model(alice: Person, jpeg_bytes, instant_worker):
    alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)})

    image = JobImage.objects.get()

    assert {"queue", "decode", "model", "post", "encode", "total"} <= set(image.timings_ms)
    assert image.model_version == "fake 000000000000"


def test_single_uploads_have_settings_of_their_own(alice: Person, jpeg_bytes, instant_worker):
    first, second = (
        alice.api().post("/api/uploads/", {"image": photo(jpeg_bytes, f"{name}.jpg")}).json()["id"] for name in "ab"
    )
    own = {second: {"background": "#ff0000", "format": "jpeg"}}

    body = alice.api().post(
        "/api/jobs/?wait=10", {"upload": [first, second], "threshold": 5, "settings": own}, "application/json"
    )

    images = body.json()["images"]
    assert [image["settings"] for image in images] == [{}, {"background": "#ff0000", "format": "jpeg"}]
    kinds = [next(file for file in image["files"] if file["kind"] == "cutout") for image in images]
    assert [file["content_type"] for file in kinds] == ["image/png", "image/jpeg"]
    stored = JobImage.objects.get(pk=images[1]["id"]).cutout_options
    assert (stored.threshold, str(stored.background)) == (5, "#ff0000")


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
