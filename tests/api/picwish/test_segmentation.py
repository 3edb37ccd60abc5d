"""PicWish's segmentation task: both families of addresses, every field, states, errors and the callback."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from jobs import errors, tasks
from jobs.api.picwish.render import DETAILS, ERRORS, PROGRESS
from jobs.fetch import Fetched
from jobs.models import Artifact, Job, JobImage, Membership, Status, WebhookDelivery
from jobs.webhooks import callback_payload
from tests import photos
from tests.api.matching import assert_matches, fixture
from tests.cast import Person, make_person
from tests.fakes import FakeEngine

LONG, VENDOR = "/task/pic/segmentation", "/api/tasks/visual/segmentation"
POLLS = ("/task/", f"{LONG}/", f"{VENDOR}/")


def upload(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def submit(person: Person, path: str = LONG, **fields: Any):
    return person.api().post(path, fields)


def poll(person: Person, task_id: str, path: str = "/task/") -> dict[str, Any]:
    return person.api().get(path + task_id).json()["data"]


def opened(url: str) -> Image.Image:
    answer = Client().get(url.removeprefix("http://testserver"))
    assert answer.status_code == 200
    return Image.open(io.BytesIO(b"".join(answer.streaming_content)))


# The way of one task --------------------------------------------------------------------------------------------------


def test_a_synchronous_task_is_answered_complete(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    answer = submit(alice, image_file=upload(jpeg_bytes), sync="1", output_type="1")

    assert answer.status_code == 200
    assert_matches(answer.json(), fixture("picwish/complete.json"))
    assert opened(answer.json()["data"]["image"]).mode == "RGBA"
    assert opened(answer.json()["data"]["mask"]).mode == "L"


def test_an_asynchronous_task_is_queued_then_complete(
    held_worker: Callable[[], None], alice: Person, jpeg_bytes: bytes
) -> None:
    answer = submit(alice, image_file=upload(jpeg_bytes))
    assert_matches(answer.json(), fixture("picwish/submitted.json"))
    task_id = answer.json()["data"]["task_id"]
    assert_matches(alice.api().get(f"/task/{task_id}").json(), fixture("picwish/queued.json"))

    held_worker()

    data = poll(alice, task_id)
    assert (data["state"], data["progress"], "image" in data, "mask" in data) == (1, 100, True, False)


@pytest.mark.parametrize("path", [LONG, VENDOR])
@pytest.mark.parametrize("poll_path", POLLS)
def test_both_families_of_addresses_answer_the_same(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, path: str, poll_path: str
) -> None:
    task_id = submit(alice, path, image_file=upload(jpeg_bytes)).json()["data"]["task_id"]

    assert poll(alice, task_id, poll_path)["task_id"] == task_id


@pytest.mark.parametrize("header", [{"X-API-KEY": "{}"}, {"Authorization": "Bearer {}"}, {"Authorization": "Token {}"}])
def test_a_key_is_taken_in_both_headers(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, header: dict[str, str]
) -> None:
    headers = {name: value.format(alice.secret) for name, value in header.items()}

    answer = Client().post(VENDOR, {"image_file": upload(jpeg_bytes)}, headers=headers)

    assert answer.status_code == 200


def test_json_and_forms_say_the_same(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    fields = {"image_base64": base64.b64encode(jpeg_bytes).decode(), "sync": 1, "output_type": 3}
    form = {name: str(value) for name, value in fields.items()}
    kinds = [("application/json", json.dumps(fields)), ("application/x-www-form-urlencoded", urlencode(form))]

    answers = [alice.api().post(LONG, body, content_type=kind).json()["data"] for kind, body in kinds]

    for data in answers:
        assert (data["state"], data["output_type"], "image" in data, "mask" in data) == (1, 3, False, True)


# Fields ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("output_type", "kinds"), [(1, {"image", "mask"}), (2, {"image"}), (3, {"mask"})])
def test_output_type_chooses_picture_and_mask(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, output_type: int, kinds: set[str]
) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, output_type=output_type).json()["data"]

    assert {name for name in ("image", "mask") if name in data} == kinds


def test_crop_cuts_picture_and_mask_to_the_rectangle(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes
) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, output_type=1, crop=1).json()["data"]

    rectangle = data["foreground_rect"]
    size = (rectangle["width"], rectangle["height"])
    assert opened(data["image"]).size == opened(data["mask"]).size == size
    assert size < (data["image_width"], data["image_height"])
    # The fake model's ellipse fills 60 % of each side, in the middle.
    assert abs(rectangle["x"] - 0.2 * 512) < 12
    assert abs(rectangle["width"] - 0.6 * 512) < 24


@pytest.mark.parametrize("color", ["00ff00", "#00ff00", "0f0"])
def test_jpg_is_drawn_on_the_colour(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, color: str) -> None:
    fields = {"format": "jpg", "bg_color": color}

    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, **fields).json()["data"]

    image = opened(data["image"])
    assert image.format == "JPEG"
    assert abs(np.asarray(image)[2, 2].astype(int) - [0, 255, 0]).max() < 12


def test_jpg_is_white_by_default(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, format="jpg").json()["data"]

    assert np.asarray(opened(data["image"]))[2, 2].min() > 245


def test_base64_is_the_files_bytes(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, output_type=1, return_type=2).json()["data"]

    assert Image.open(io.BytesIO(base64.b64decode(data["image"]))).mode == "RGBA"
    assert Image.open(io.BytesIO(base64.b64decode(data["mask"]))).mode == "L"


@pytest.mark.parametrize(
    ("fields", "kind", "mode"),
    [({}, "image/png", "RGBA"), ({"output_type": 3}, "image/png", "L"), ({"format": "jpg"}, "image/jpeg", "RGB")],
)
def test_binary_answers_the_file_itself(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, fields: dict[str, Any], kind: str, mode: str
) -> None:
    answer = submit(alice, image_file=upload(jpeg_bytes), sync=1, return_type=3, **fields)

    assert answer["Content-Type"] == kind
    assert Image.open(io.BytesIO(answer.content)).mode == mode
    assert poll(alice, answer["X-Task-Id"])["state"] == 1


@pytest.mark.parametrize("subject", ["person", "object", "stamp"])
def test_a_type_asked_for_is_what_is_kept_and_told(instant_worker: FakeEngine, alice: Person, subject: str) -> None:
    page = np.full((200, 200, 3), 245, np.uint8)
    page[60:140, 60:140] = (200, 30, 40)

    data = submit(alice, image_file=upload(photos.encode(page, "PNG")), sync=1, type=subject).json()["data"]

    assert (data["type"], data["result_type"]) == (subject, subject)


def test_an_empty_type_means_detect(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync="1", type="").json()["data"]

    assert data["type"] == "auto"
    assert data["result_type"] in ("person", "object")


def test_a_link_lives_as_long_as_the_result(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1).json()["data"]

    until = int(data["image"].partition("until=")[2].partition("&")[0])
    assert abs(until - Artifact.objects.filter(kind="cutout").get().expires_at.timestamp()) < 5


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sync": "2"}, "sync"),
        ({"sync": "yes"}, "sync"),
        ({"type": "cat"}, "type"),
        ({"output_type": "4"}, "output_type"),
        ({"output_type": "0"}, "output_type"),
        ({"crop": "-1"}, "crop"),
        ({"format": "gif"}, "format"),
        ({"bg_color": "white"}, "bg_color"),
        ({"return_type": "5"}, "return_type"),
        ({"return_type": "3"}, "return_type"),
        ({"callback_url": "ftp://example.com/"}, ""),
        ({"callback_url": "http://10.0.0.1/"}, ""),
        ({"image_url": "http://example.com/also.png"}, "image_url"),
        ({"image_file": ""}, "image_file"),
    ],
)
def test_a_bad_field_is_400_and_nothing_is_queued(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, fields: dict[str, str], field: str
) -> None:
    answer = submit(alice, **({"image_file": upload(jpeg_bytes)} | fields))

    assert answer.status_code == 400
    assert_matches(answer.json(), fixture("picwish/error.json"))
    assert answer.json()["status"] == 400
    assert answer.json()["message"].startswith(field)
    assert not Job.objects.exists()


# States ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sync", ["0", "1"])
@pytest.mark.parametrize(
    ("make", "state"),
    [
        (lambda jpeg: {"image_file": upload(b"this is text, no picture" * 20)}, -7),
        (lambda jpeg: {"image_file": upload(jpeg[:2000])}, -7),
        (lambda jpeg: {"image_base64": "no base64!"}, -7),
        (lambda jpeg: {"image_file": upload(photos.encode(np.zeros((8, 4097, 3), np.uint8), "PNG"))}, -7),
        (lambda jpeg: {"image_url": "http://127.0.0.1/private.png"}, -3),
        (lambda jpeg: {"image_url": "file:///etc/passwd"}, -3),
    ],
)
def test_a_picture_that_cannot_be_used_is_a_task_in_that_state(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, make: Callable, state: int, sync: str
) -> None:
    answer = submit(alice, sync=sync, **make(jpeg_bytes))

    assert answer.status_code == 200
    data = poll(alice, answer.json()["data"]["task_id"])
    assert (data["state"], data["state_detail"], data["progress"]) == (state, DETAILS[state], 0)
    assert data["err_info"]
    assert "image" not in data
    assert not Artifact.objects.exists()


def test_a_failed_task_is_told_like_any_other(instant_worker: FakeEngine, alice: Person) -> None:
    answer = submit(alice, sync="1", image_file=upload(b"text" * 100))

    assert_matches(answer.json(), fixture("picwish/failed.json"))


def test_too_many_bytes_are_413_at_once(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, settings) -> None:
    settings.MATTING_MAX_IMAGE_BYTES = 1000

    answer = submit(alice, image_file=upload(jpeg_bytes), sync=1)

    assert (answer.status_code, answer.json()["status"]) == (413, 413)


@pytest.mark.parametrize(
    ("error", "state"), [(errors.DownloadFailed(), -3), (errors.UrlForbidden(), -3), (None, -7), ("large", -5)]
)
def test_what_a_download_brings_to_light_is_the_tasks_state(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch, error, state: int
) -> None:
    def fetch(url: str, policy: object) -> Fetched:
        if isinstance(error, Exception):
            raise error
        if error == "large":
            return Fetched(b"\xff\xd8\xff" + b"\0" * 21_000_000, "image/png", url, 3.0)
        return Fetched(b"an error page", "text/html", url, 3.0)

    monkeypatch.setattr("jobs.fetch.fetch_bytes", fetch)

    data = submit(alice, image_url="http://example.com/a.png", sync=1).json()["data"]

    assert data["state"] == state


def test_a_downloaded_picture_tells_its_download_time(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.fetch.fetch_bytes", lambda url, policy: Fetched(jpeg_bytes, "image/jpeg", url, 3.0))
    task_id = submit(alice, image_url="http://example.com/a.png").json()["data"]["task_id"]
    JobImage.objects.update(timings_ms={"fetch": 488.4, "total": 872.95})

    data = poll(alice, task_id)

    assert data["state"] == 1
    assert data["download_time"] == 488
    assert data["time_elapsed"] == pytest.approx(384.55)


@pytest.mark.parametrize("subject", ["", "person"])
def test_nothing_found_is_state_minus_11_without_a_picture(
    blind_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, subject: str
) -> None:
    answer = submit(alice, image_file=upload(jpeg_bytes), sync=1, return_type=3, type=subject)

    data = answer.json()["data"]
    assert (data["state"], data["state_detail"], data["progress"]) == (-11, "nothing found", 0)
    assert "image" not in data
    assert "foreground_rect" not in data


def test_a_cancelled_task_is_state_minus_13(held_worker: Callable[[], None], alice: Person, jpeg_bytes: bytes) -> None:
    task_id = submit(alice, image_file=upload(jpeg_bytes)).json()["data"]["task_id"]
    alice.api().post(f"/api/jobs/{Job.objects.get().id}/cancel")

    data = poll(alice, task_id)

    assert (data["state"], data["state_detail"]) == (-13, "cancelled")


def test_state_and_progress_go_in_step_while_it_runs(
    held_worker: Callable[[], None], alice: Person, jpeg_bytes: bytes
) -> None:
    task_id = submit(alice, image_url="http://example.com/a.png").json()["data"]["task_id"]
    image = JobImage.objects.get()
    steps = [poll(alice, task_id)]
    image.claim(worker="one", lease_s=60)
    image.job.start()
    steps.append(poll(alice, task_id))
    image.requeue()
    steps.append(poll(alice, task_id))
    image.claim(worker="two", lease_s=60)
    JobImage.objects.update(source_url="")
    steps.append(poll(alice, task_id))

    assert [(data["state"], data["state_detail"]) for data in steps] == [
        (0, "queued"),
        (2, "preparing"),
        (3, "waiting"),
        (4, "processing"),
    ]
    assert [data["progress"] for data in steps] == [PROGRESS[data["state"]] for data in steps]
    assert not any("image" in data for data in steps)


def test_only_complete_is_at_100() -> None:
    assert [state for state, progress in PROGRESS.items() if progress == 100] == [1]


def test_a_synchronous_task_that_takes_too_long_is_answered_as_it_stands(
    idle_worker: None, alice: Person, jpeg_bytes: bytes, settings
) -> None:
    settings.MATTING_MAX_WAIT_S = 0.01

    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, return_type=3).json()["data"]

    assert (data["state"], data["progress"]) == (0, 0)


def test_a_failing_model_is_state_minus_1_without_a_traceback(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instant_worker, "auto", lambda rgb: 1 / 0)

    data = submit(alice, image_file=upload(jpeg_bytes), sync=1).json()["data"]

    assert (data["state"], data["err_info"]) == (-1, "Something went wrong on our side.")


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_that_a_task_can_end_with_has_a_state_with_a_detail(
    held_worker: Callable[[], None], alice: Person, jpeg_bytes: bytes, code: str
) -> None:
    task_id = submit(alice, image_file=upload(jpeg_bytes)).json()["data"]["task_id"]
    Job.objects.update(status=Status.FAILED, error_code=code, error_message="why")

    data = poll(alice, task_id)

    assert data["state"] < 0
    assert data["state_detail"] == DETAILS[data["state"]]
    assert data["err_info"] == "why"


# Others ---------------------------------------------------------------------------------------------------------------


def test_the_callback_says_what_the_poll_says(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.services.webhooks.delivery_attempt", lambda *, delivery_id: None)

    task_id = submit(alice, image_file=upload(jpeg_bytes), callback_url="https://example.com/hook").json()["data"][
        "task_id"
    ]

    delivery = WebhookDelivery.objects.get()
    assert delivery.url == "https://example.com/hook"
    payload = callback_payload(delivery.job)
    assert {**payload["data"], "image": ""} == {**poll(alice, task_id), "image": ""}
    assert opened(payload["data"]["image"]).mode == "RGBA"


def test_charlie_and_guessers_find_no_task(
    instant_worker: FakeEngine, alice: Person, charlie: Person, jpeg_bytes: bytes
) -> None:
    task_id = submit(alice, image_file=upload(jpeg_bytes)).json()["data"]["task_id"]

    for path in POLLS:
        for person, guess in ((charlie, task_id), (alice, "3b950563-e53f-4036-a581-5ac04d0829b3"), (alice, "%00")):
            answer = person.api().get(path + guess)
            assert answer.status_code == 404
            assert answer.json() == {"status": 404, "message": "There is no such job."}


def test_a_job_of_another_dialect_is_no_task_here(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    alice.api().post("/api/jobs/", {"image": upload(jpeg_bytes)})

    assert alice.api().get(f"/task/{Job.objects.get().id}").status_code == 404


@pytest.mark.parametrize("path", [LONG, VENDOR, "/task/x"])
def test_without_a_key_it_is_401(db: None, path: str) -> None:
    answer = Client().get(path) if path == "/task/x" else Client().post(path)

    assert (answer.status_code, answer.json()["status"]) == (401, 401)
    assert_matches(answer.json(), fixture("picwish/error.json"))


def test_a_key_that_may_only_read_may_not_submit(db: None, alice: Person, jpeg_bytes: bytes) -> None:
    reader = make_person("reader", alice.team, Membership.Role.MEMBER, scopes=("read",))

    answer = submit(reader, image_file=upload(jpeg_bytes))

    assert (answer.status_code, answer.json()["status"]) == (403, 403)


@pytest.mark.parametrize("body", ["{broken", "[1, 2]", '"text"', '{"image_url": NaN}'])
def test_a_body_that_is_no_json_object_is_400(alice: Person, body: str) -> None:
    answer = alice.api().post(LONG, body, content_type="application/json")

    assert answer.status_code == 400
    assert_matches(answer.json(), fixture("picwish/error.json"))


def test_an_unreachable_queue_is_503(alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise errors.QueueUnavailable

    monkeypatch.setattr("jobs.queue.require_available", away)

    answer = submit(alice, image_file=upload(jpeg_bytes))

    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert answer["Retry-After"] == "5"


def test_the_worker_claims_what_this_dialect_submits(
    idle_worker: None, alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.engine.current_engine", lambda: FakeEngine())
    task_id = submit(alice, image_file=upload(jpeg_bytes)).json()["data"]["task_id"]
    tasks.image_process(str(JobImage.objects.get().id))

    assert poll(alice, task_id)["state"] == 1
