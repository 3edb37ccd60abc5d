"""Tests of the native API: jobs are submitted, read, listed, cancelled and deleted."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from jobs.models import Artifact, JobImage
from tests.cast import Person

from .sent import files_of, photo, stored_files

pytestmark = pytest.mark.django_db


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
    ("fields", "method", "calls"),
    [
        ({"points": "[[10, 20, 1], [30, 40, 0]]"}, "points", ["points"]),
        ({"points": "[[10, 20, 1], [30, 40, 0]]", "method": "auto"}, "auto", ["auto", "points"]),
        (
            {"points": "[[10, 20, 1], [30, 40, 0]]", "boxes": "[[10, 20, 300, 400]]"},
            "boxes",
            ["boxes", "points"],
        ),
    ],
)
def test_points_are_kept_as_they_were_sent_and_correct_the_result_without_them(
    alice: Person, jpeg_bytes, instant_worker, clickable_weights, fields, method, calls
):
    answer = alice.api().post("/api/jobs/?wait=10", {"image": photo(jpeg_bytes), **fields})

    assert answer.json()["options"]["points"] == [[10, 20, 1], [30, 40, 0]]
    assert answer.json()["options"]["method"] == method
    assert instant_worker.calls == calls


def test_a_picture_without_a_subject_says_so_in_every_answer(alice: Person, jpeg_bytes, blind_worker):
    job = alice.api().post("/api/jobs/?wait=10", {"image": photo(jpeg_bytes)}).json()
    picture = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)}, headers={"Accept": "image/png"})

    assert job["images"][0]["foreground"] is None
    assert "nothing: no subject was found" in job["images"][0]["notes"]
    assert picture["Content-Type"] == "image/png"
    assert "nothing: no subject was found" in picture["Keyline-Notes"]


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
