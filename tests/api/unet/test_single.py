"""Tests of `POST /api/matting/single`: all fields, the effect of the parameters, and the format of each error."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from jobs.models import ApiKey, Job
from jobs.results import storage
from jobs.teams.keys import key_revoke
from jobs.work.cancel import job_cancel
from jobs.work.selectors import jobs_of
from tests.api.matching import assert_matches, fixture
from tests.cast import Person
from tests.fakes import FakeEngine
from tests.quota.actions import ledger_sum

URL = "/api/matting/single"


def post(client: Client, picture: bytes, **fields: str):
    accept = {"Accept": fields.pop("accept")} if "accept" in fields else {}
    file = SimpleUploadedFile("photo.jpg", picture)
    return client.post(URL, {"image": file, **fields}, headers=accept)


def pixels(key: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(storage.read(key))))


def raw_alpha(client: Client, picture: bytes) -> np.ndarray:
    body = post(client, picture, accept="application/json+alpha").json()
    return np.frombuffer(base64.b64decode(body["alpha_map_base64"]), np.float32).reshape(body["shape"])


def test_the_answer_is_the_guides(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    answer = post(alice.api(), jpeg_bytes, save_alpha="true")

    assert answer.status_code == 200
    assert_matches(answer.json(), fixture("unet/single.json"))


def test_jpeg_is_drawn_on_the_background_and_has_no_alpha_file(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes
) -> None:
    body = post(alice.api(), jpeg_bytes, output_format="jpeg", bg_color="#00ff00").json()

    assert_matches(body, fixture("unet/single_jpeg.json"))
    corner = pixels(body["result_path"])[2, 2].astype(int)
    assert abs(corner - [0, 255, 0]).max() < 12


@pytest.mark.parametrize("threshold", [0, 10, 25, 50])
@pytest.mark.parametrize("erosion", [0, 1, 5])
@pytest.mark.parametrize("feathering", ["true", "false"])
@pytest.mark.slow
def test_the_parameters_mean_what_the_guide_says_to_the_last_level(
    instant_worker: FakeEngine, alice: Person, png_bytes: bytes, threshold: int, erosion: int, feathering: str
) -> None:
    alpha = raw_alpha(alice.api(), png_bytes)

    fields = {"alpha_threshold": str(threshold), "edge_erosion": str(erosion), "edge_feathering": feathering}
    body = post(alice.api(), png_bytes, save_alpha="1", **fields).json()

    expected = (alpha > threshold / 50.0).astype(np.uint8) * 255
    if erosion:
        expected = cv2.erode(expected, np.ones((erosion + 1, erosion + 1), np.uint8))
    if feathering == "true":
        expected = cv2.GaussianBlur(expected, (5, 5), 0)
    assert np.array_equal(pixels(body["alpha_path"]), expected)
    assert np.array_equal(pixels(body["result_path"])[..., 3], expected)


def test_png_keeps_the_photos_own_colour(instant_worker: FakeEngine, alice: Person, png_bytes: bytes) -> None:
    body = post(alice.api(), png_bytes, bg_color="#ff0000").json()

    cutout = pixels(body["result_path"])
    visible = cutout[..., 3] > 0
    assert np.array_equal(cutout[visible][:, :3], np.asarray(Image.open(io.BytesIO(png_bytes)))[visible])


def test_fields_left_out_take_the_guides_defaults(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    post(alice.api(), jpeg_bytes)

    options = Job.objects.get().cutout_options
    assert (options.threshold, options.erosion, options.feathering) == (10, 1, True)
    assert (options.alpha_mode, options.format, options.outputs) == ("binary", "png", ("cutout",))


@pytest.mark.parametrize(
    ("text", "meaning"), [("TRUE", True), ("True", True), ("tRuE", True), ("1", True), ("False", False), ("0", False)]
)
def test_booleans_arrive_as_words_in_any_case_or_as_digits(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, text: str, meaning: bool
) -> None:
    body = post(alice.api(), jpeg_bytes, save_alpha=text, edge_feathering=text).json()

    assert ("alpha_path" in body) is meaning
    assert Job.objects.get().cutout_options.feathering is meaning


def test_soft_mode_keeps_gray_levels(instant_worker: FakeEngine, alice: Person, png_bytes: bytes) -> None:
    body = post(
        alice.api(), png_bytes, alpha_mode="soft", alpha_threshold="0", edge_erosion="0", edge_feathering="0"
    ).json()

    levels = np.unique(pixels(body["result_path"])[..., 3])
    assert len(levels) > 10


@pytest.mark.parametrize(
    ("accept", "is_raw"),
    [
        ("application/json+alpha, */*", True),
        ("Application/JSON+alpha;q=0.9, application/json;q=0.5", True),
        ("application/json+alpha;q=0.5, application/json", False),
        ("application/json+alpha;q=0, application/json", False),
        ("*/*", False),
    ],
)
def test_raw_alpha_is_sent_if_accept_prefers_it(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, accept: str, is_raw: bool
) -> None:
    body = post(alice.api(), jpeg_bytes, accept=accept).json()

    assert ("alpha_map_base64" in body) == is_raw


def test_raw_alpha_is_float32_before_any_threshold(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes
) -> None:
    answer = post(alice.api(), jpeg_bytes, accept="application/json+alpha", alpha_threshold="50")

    assert_matches(answer.json(), fixture("unet/raw_alpha.json"))
    alpha = np.frombuffer(base64.b64decode(answer.json()["alpha_map_base64"]), np.float32).reshape(512, 512)
    assert alpha.min() == 0.0
    assert alpha.max() == 1.0
    assert len(np.unique(alpha)) > 10


def test_two_requests_in_one_second_get_different_names(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes
) -> None:
    paths = [post(alice.api(), jpeg_bytes).json()["result_path"] for _ in range(3)]

    assert len(set(paths)) == 3


def test_the_result_link_opens_without_a_key(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    url = post(alice.api(), jpeg_bytes).json()["result_url"]

    answer = Client().get(url.removeprefix("http://testserver"))

    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("alpha_threshold", "51"),
        ("alpha_threshold", "-1"),
        ("alpha_threshold", "ten"),
        ("edge_erosion", "6"),
        ("edge_erosion", "1.5"),
        ("output_format", "gif"),
        ("bg_color", "#12345"),
        ("bg_color", "white"),
        ("save_alpha", "perhaps"),
        ("edge_feathering", "2"),
        ("alpha_mode", "hard"),
        ("image", "not a file"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_queued(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, field: str, value: str
) -> None:
    fields = {"image": SimpleUploadedFile("photo.jpg", jpeg_bytes)} | {field: value}

    answer = alice.api().post(URL, fields)

    assert answer.status_code == 400
    assert_matches(answer.json(), fixture("unet/error.json"))
    assert answer.json()["error"].startswith(f"{field}:")
    assert not Job.objects.exists()


def _cut_short(picture: bytes) -> bytes:
    return picture[: len(picture) // 2]


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (b"", 400, "image_missing"),
        (b"hello, I am text" * 20, 400, "image_unreadable"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 400, 400, "image_unreadable"),
        ("short", 400, "image_unreadable"),
        ("large", 413, "image_too_large"),
        ("wide", 400, "image_dimensions"),
    ],
)
def test_a_bad_picture_is_refused_and_nothing_is_stored(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, settings, picture: bytes | str, status: int, code: str
) -> None:
    if picture == "short":
        picture = _cut_short(jpeg_bytes)
    if picture == "large":
        settings.MATTING_MAX_IMAGE_BYTES, picture = 1000, jpeg_bytes
    if picture == "wide":
        settings.MATTING_MAX_IMAGE_PIXELS, picture = 1000, jpeg_bytes

    answer = post(alice.api(), picture)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert_matches(answer.json(), fixture("unet/error.json"))
    assert not Job.objects.exists()


def test_no_picture_at_all_is_said(instant_worker: FakeEngine, alice: Person) -> None:
    answer = alice.api().post(URL, {"output_format": "png"})

    assert (answer.status_code, answer.json()["code"]) == (400, "image_missing")


def test_without_a_key_it_is_401_in_the_dialects_envelope(db: None, jpeg_bytes: bytes) -> None:
    answer = post(Client(), jpeg_bytes)

    assert answer.status_code == 401
    assert_matches(answer.json(), fixture("unet/error.json"))


def test_a_wrong_method_and_a_wrong_body_are_answered_in_the_dialects_envelope(alice: Person) -> None:
    assert_matches(alice.api().get(URL).json(), fixture("unet/error.json"))
    answer = alice.api().post(URL, json.dumps({}), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


def test_a_failing_model_is_500_without_a_traceback(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instant_worker, "auto", lambda rgb: 1 / 0)

    answer = post(alice.api(), jpeg_bytes)

    assert answer.status_code == 500
    assert answer.json() == {"status": "error", "error": "Something went wrong on our side.", "code": "internal"}


def test_a_picture_that_no_worker_began_in_time_is_cancelled_and_not_charged(
    idle_worker: None, alice: Person, jpeg_bytes: bytes, settings
) -> None:
    settings.MATTING_MAX_WAIT_S = 0

    answer = post(alice.api(), jpeg_bytes)

    assert (answer.status_code, answer.json()["code"]) == (503, "timeout")
    assert Job.objects.get().status == "canceled"
    assert ledger_sum(alice) == 0


def test_a_picture_that_is_cancelled_meanwhile_says_so(
    alice: Person, jpeg_bytes: bytes, meanwhile: Callable[..., None]
) -> None:
    meanwhile(lambda job: job_cancel(actor=alice.actor, job=job))

    answer = post(alice.api(), jpeg_bytes)

    assert (answer.status_code, answer.json()["code"]) == (409, "canceled")
    assert_matches(answer.json(), fixture("unet/error.json"))


def test_charlie_opens_nothing_of_alices(
    instant_worker: FakeEngine, alice: Person, charlie: Person, jpeg_bytes: bytes
) -> None:
    body = post(alice.api(), jpeg_bytes).json()
    path = body["result_url"].removeprefix("http://testserver").partition("?")[0]

    assert charlie.api().get(path).status_code == 404
    assert alice.api().get(path).status_code == 200


def test_a_picture_that_turns_stays_upright_in_its_sizes(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes
) -> None:
    image, buffer = Image.open(io.BytesIO(jpeg_bytes)).resize((64, 32)), io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(buffer, "JPEG", exif=exif)

    body = post(alice.api(), buffer.getvalue()).json()

    assert body["original_size"] == body["output_size"] == [32, 64]


def test_the_job_is_kept_as_this_dialects(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    post(alice.api(), jpeg_bytes)

    job = jobs_of(alice.actor).get()
    assert (job.dialect, job.urgency, job.status) == ("unet", "interactive", "succeeded")


def test_a_closing_slash_changes_nothing(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    answer = alice.api().post(f"{URL}/", {"image": SimpleUploadedFile("photo.jpg", jpeg_bytes)})

    assert (answer.status_code, answer.json()["status"]) == (200, "success")


@pytest.mark.parametrize("path", ["/api/matting/", "/api/matting/double", "/api/matting/task/x/y/", "/api/model"])
def test_an_unknown_path_is_answered_in_the_dialects_envelope(client: Client, path: str) -> None:
    for method in ("get", "post", "delete"):
        answer = getattr(client, method)(path)

        assert answer.status_code == 404
        expected = {"status": "error", "error": "There is nothing at this URL.", "code": "not_found"}
        assert answer.json() == expected


def test_the_result_link_opens_whatever_key_comes_with_it(
    instant_worker: FakeEngine, alice: Person, charlie: Person, jpeg_bytes: bytes
) -> None:
    url = post(alice.api(), jpeg_bytes).json()["result_url"].removeprefix("http://testserver")
    key_revoke(key=alice.key)
    ApiKey.objects.filter(pk=charlie.key.pk).update(allowed_networks=["10.0.0.0/8"])

    for headers in (alice.headers, charlie.headers, {"Authorization": "Bearer kl_wrong"}):
        assert Client().get(url, headers=headers).status_code == 200
        assert Client().get(url.partition("?")[0], headers=headers).status_code in (401, 403)


def test_an_empty_cutout_says_that_nothing_was_found(
    blind_worker: FakeEngine, alice: Person, jpeg_bytes: bytes
) -> None:
    body = post(alice.api(), jpeg_bytes).json()
    raw = post(alice.api(), jpeg_bytes, accept="application/json+alpha").json()

    assert "nothing: no subject was found" in body["notes"]
    assert "nothing: no subject was found" in raw["notes"]


def test_a_cutout_with_a_subject_has_no_notes(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    assert "notes" not in post(alice.api(), jpeg_bytes).json()
