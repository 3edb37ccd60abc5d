"""Tests of the route `segment` of the Baidu-compatible API, with a fake model whose result is known."""

from __future__ import annotations

import base64
import io
import json
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import requests
from django.test import Client
from PIL import Image

from jobs.api.baidu.render import error_code_of
from jobs.errors import MattingError, QueueUnavailable, QuotaExceeded
from jobs.models import Job, JobImage
from segmentation.errors import InferenceFailed
from segmentation.options import CutoutOptions
from tests import photos
from tests.api.matching import assert_matches, fixture
from tests.cast import Person
from tests.fakes import FakeEngine
from tests.quota.actions import ledger_sum

URL = "/rest/2.0/image-process/v1/segment"
FIXTURE = fixture("baidu/segment.json")
ERRORS = fixture("baidu/errors.json")


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def blank(width: int, height: int) -> bytes:
    return photos.encode(np.full((height, width, 3), 90, np.uint8), "PNG")


def filled_in(value: Any) -> Any:
    """Return a value from a fixture file, with placeholders such as `<photo>` replaced by test data."""
    known = {
        "<photo>": lambda: base64_of(photos.encoded("JPEG", quality=90)),
        "<gif>": lambda: base64_of(photos.encoded("GIF")),
        "<text file>": lambda: base64_of(b"not a picture at all"),
        "<127 x 200>": lambda: base64_of(blank(127, 200)),
        "<3001 x 200>": lambda: base64_of(blank(3001, 200)),
        "<10 MB>": lambda: "A" * (10 * 2**20 + 4),
        "<1006 letters>": lambda: "a" * 1006,
    }
    if value == "<21 boxes>":
        return [[[0, 0], [50, 50]]] * 21
    if isinstance(value, str):
        for name, make in known.items():
            if name in value:
                value = value.replace(name, make())
    return value


def body_of(case: dict[str, Any]) -> dict[str, Any]:
    return {name: filled_in(value) for name, value in case["body"].items()}


def segment(person: Person, **body: Any) -> dict[str, Any]:
    response = person.api().post(URL, body, content_type="application/json")
    assert response.status_code == 200
    return response.json()


def picture_in(answer: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer["image"])))


@pytest.fixture
def photo() -> str:
    return base64_of(photos.encoded("JPEG", quality=90))


@pytest.mark.usefixtures("instant_worker")
@pytest.mark.parametrize("case", FIXTURE["requests"], ids=lambda case: case["name"])
def test_json_is_answered_for(alice: Person, case: dict[str, Any]) -> None:
    assert_matches(segment(alice, **body_of(case)), FIXTURE["answer"])


@pytest.mark.usefixtures("instant_worker")
@pytest.mark.parametrize("label", ["application/x-www-form-urlencoded", "application/json", "text/plain"])
@pytest.mark.parametrize("kind", ["json", "form"])
def test_a_body_is_read_by_what_it_is(alice: Person, photo: str, kind: str, label: str) -> None:
    values = {"image": photo, "method": "control", "position": "[[[50,60],[400,500]]]", "refine_mask": "false"}
    body = json.dumps(values) if kind == "json" else urlencode(values)

    response = alice.api().post(URL + "?aipSdk=python&aipVersion=4_16_13", body, content_type=label)

    assert_matches(response.json(), FIXTURE["answer"])
    assert Job.objects.get().options["boxes"] == [[50, 60, 400, 500]]


@pytest.mark.usefixtures("instant_worker")
def test_a_list_of_boxes_is_read_as_the_sdks_form_spells_it(alice: Person, photo: str) -> None:
    position = [[[50, 60], [400, 500]], [[10, 10], [40, 40]]]
    form = requests.Request("POST", "http://x/", data={"image": photo, "method": "control", "position": position})

    response = alice.api().post(URL, form.prepare().body, content_type="application/x-www-form-urlencoded")

    assert_matches(response.json(), FIXTURE["answer"])
    assert Job.objects.get().options["boxes"] == [[50, 60, 400, 500], [10, 10, 40, 40]]


@pytest.mark.usefixtures("instant_worker")
@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case["when"])
def test_an_error_is_told_in_the_body_when(alice: Person, case: dict[str, Any]) -> None:
    answer = segment(alice, **body_of(case))

    expected = {"error_code": case["error_code"], "error_msg": case["error_msg"], "log_id": "<digits>"}
    assert_matches(answer, expected)
    assert not Job.objects.exists()


@pytest.mark.parametrize("body", ["{", "[1, 2]", '{"image": NaN}', "[" * 5000, b"\xff\xfe{"])
def test_a_body_that_cannot_be_read_is_a_bad_parameter(alice: Person, body: str | bytes) -> None:
    response = alice.api().post(URL, body, content_type="application/json")

    assert (response.status_code, response.json()["error_code"]) == (200, 216100)


@pytest.mark.usefixtures("instant_worker")
def test_rgba_is_a_png_of_four_channels_and_the_size_of_the_input(alice: Person, photo: str) -> None:
    picture = picture_in(segment(alice, image=photo, return_form="rgba"))

    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (512, 512))
    alpha = np.asarray(picture)[..., 3]
    assert alpha[256, 256] == 255
    assert alpha[0, 0] == 0


@pytest.mark.usefixtures("instant_worker")
@pytest.mark.parametrize("refine", [True, False])
def test_a_mask_has_one_channel_of_nothing_but_0_and_255(alice: Person, photo: str, refine: bool) -> None:
    mask = picture_in(segment(alice, image=photo, return_form="mask", refine_mask=refine))

    assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (512, 512))
    assert np.unique(np.asarray(mask)).tolist() == [0, 255]


@pytest.mark.usefixtures("instant_worker")
def test_refine_mask_makes_the_edge_soft_and_its_absence_leaves_it_hard(alice: Person, photo: str) -> None:
    soft = np.asarray(picture_in(segment(alice, image=photo, refine_mask="true")))[..., 3]
    hard = np.asarray(picture_in(segment(alice, image=photo, refine_mask="false")))[..., 3]

    assert len(np.unique(soft)) > 20
    assert np.unique(hard).tolist() == [0, 255]


@pytest.mark.usefixtures("instant_worker")
def test_nothing_outside_the_boxes_is_kept_and_each_box_gives_its_subject(alice: Person, photo: str) -> None:
    position = [[[40, 40], [200, 200]], [[300, 250], [480, 470]]]

    mask = np.asarray(picture_in(segment(alice, image=photo, method="control", position=position, return_form="mask")))

    margin_px = 10  # tolerance for hair
    outside = mask.copy()
    for (left, top), (right, bottom) in position:
        assert mask[(top + bottom) // 2, (left + right) // 2] == 255
        outside[top - margin_px : bottom + margin_px, left - margin_px : right + margin_px] = 0
    assert not outside.any()


def test_boxes_are_given_to_the_model_and_auto_asks_it_for_none(
    alice: Person, photo: str, instant_worker: FakeEngine
) -> None:
    segment(alice, image=photo)
    segment(alice, image=photo, method="control", position=[[[40, 40], [200, 200]]])

    assert instant_worker.calls == ["auto", "boxes"]


@pytest.mark.usefixtures("instant_worker")
def test_the_log_id_finds_the_job(alice: Person, photo: str) -> None:
    answer = segment(alice, image=photo)

    job = Job.objects.get(external_id=answer["log_id"])
    assert (job.dialect, job.team, job.status) == ("baidu", alice.team, "succeeded")


@pytest.mark.usefixtures("instant_worker")
def test_a_repeated_request_has_the_log_id_of_the_job(alice: Person, photo: str) -> None:
    sent, headers = {"image": photo, "method": "auto"}, {"Idempotency-Key": "order-17"}

    first, second = (alice.api().post(URL, sent, "application/json", headers=headers) for _ in range(2))

    assert second["Idempotent-Replayed"] == "true"
    assert second.json()["log_id"] == first.json()["log_id"] == Job.objects.get().external_id


@pytest.mark.parametrize(("error", "code"), [(InferenceFailed(), 216630), (MattingError(), 282000)])
def test_a_picture_that_fails_is_told_under_the_jobs_log_id(
    alice: Person, photo: str, instant_worker: FakeEngine, error: MattingError, code: int
) -> None:
    def fail(rgb: np.ndarray) -> None:
        raise error

    instant_worker.auto = fail

    answer = segment(alice, image=photo)

    assert answer["error_code"] == code
    assert Job.objects.get().external_id == answer["log_id"]


@pytest.mark.usefixtures("instant_worker")
def test_a_box_too_small_on_a_downloaded_picture_is_a_bad_parameter(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.work.tasks._downloaded", lambda url: photos.encoded("PNG"))

    answer = segment(alice, url="http://example.com/a.png", method="control", position=[[[500, 20], [509, 300]]])

    assert answer["error_code"] == 216100
    assert "(500, 20, 509, 300)" in answer["error_msg"]


@pytest.mark.usefixtures("idle_worker")
def test_a_picture_that_takes_too_long_is_an_internal_error_and_free(alice: Person, photo: str, settings: Any) -> None:
    settings.MATTING_MAX_WAIT_S = 0

    assert segment(alice, image=photo)["error_code"] == 282000
    assert Job.objects.get().status == "canceled"
    assert ledger_sum(alice) == 0


@pytest.mark.usefixtures("instant_worker")
def test_the_operators_stricter_limit_counts_here_too(alice: Person, photo: str, settings: Any) -> None:
    settings.MATTING_MAX_IMAGE_BYTES = 1000

    assert segment(alice, image=photo)["error_code"] == 216202


def test_a_queue_that_is_away_is_a_service_unavailable(
    alice: Person, photo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise QueueUnavailable

    monkeypatch.setattr("jobs.work.queue.require_available", refuse)

    assert segment(alice, image=photo)["error_code"] == 2
    assert not JobImage.objects.exists()


@pytest.mark.parametrize(("window", "code"), [("day", 17), ("month", 19), ("storage", 19)])
def test_the_days_quota_has_a_code_of_its_own(window: str, code: int) -> None:
    assert error_code_of(QuotaExceeded(window=window)) == code


@pytest.mark.usefixtures("instant_worker")
def test_the_defaults_are_auto_rgba_and_a_refined_edge(alice: Person, photo: str) -> None:
    segment(alice, image=photo)

    assert Job.objects.get().cutout_options == CutoutOptions(quality="fast")


def test_a_get_is_answered_in_the_dialects_envelope(alice: Person) -> None:
    answer = alice.api().get(URL).json()

    assert_matches(answer, {"error_code": 3, "error_msg": "Unsupported openapi method", "log_id": "<digits>"})


def test_a_browsers_session_opens_nothing_here(alice: Person) -> None:
    assert alice.browser().post(URL, {}, content_type="application/json").json()["error_code"] == 110


def test_an_unknown_client_sees_no_difference_between_foreign_and_missing_tokens(db: None) -> None:
    tokens = ["", "kl_nothing", "a.b.c.d"]

    codes = [Client().post(f"{URL}?access_token={token}").json()["error_code"] for token in tokens]

    assert codes == [110, 110, 110]


@pytest.mark.usefixtures("instant_worker")
def test_a_closing_slash_and_a_byte_order_mark_change_nothing(alice: Person, photo: str) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"image": photo}).encode()

    response = alice.api().post(f"{URL}/", body, content_type="application/json")

    assert_matches(response.json(), FIXTURE["answer"])


@pytest.mark.parametrize(
    "path", ["/rest/", f"{URL}s", f"{URL}/x/", "/rest/2.0/image-process/v1/body_seg?access_token=x"]
)
def test_an_unknown_path_is_answered_in_the_dialects_envelope(client: Client, path: str) -> None:
    for method in ("get", "post", "delete"):
        response = getattr(client, method)(path)

        assert response.status_code == 200
        expected = {"error_code": 3, "error_msg": "Unsupported openapi method", "log_id": "<digits>"}
        assert_matches(response.json(), expected)


@pytest.mark.usefixtures("blind_worker")
def test_an_empty_picture_says_that_nothing_was_found(alice: Person, photo: str) -> None:
    assert "nothing: no subject was found" in segment(alice, image=photo, method="auto")["notes"]
