"""Tests of the states of the PicWish-compatible segmentation task, as polls and callbacks report them."""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np
import pytest
from skimage import data as skimage_data

from jobs import errors
from jobs.api.picwish.render import DETAILS, ERRORS, PROGRESS
from jobs.intake.fetch import Fetched
from jobs.models import Artifact, Job, JobImage, Quota, Status, WebhookDelivery
from jobs.webhooks.payload import callback_payload
from tests import photos
from tests.api.matching import assert_matches, fixture
from tests.api.picwish.caller import opened, poll, submit, upload
from tests.cast import Person
from tests.fakes import FakeEngine


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


@pytest.mark.parametrize("field", ["image_file", "image_base64"])
def test_a_picture_over_the_teams_own_limit_is_a_task_in_that_state(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, field: str
) -> None:
    Quota.objects.update_or_create(team=alice.team, defaults={"max_image_megapixels": 0.1})
    sent = upload(jpeg_bytes) if field == "image_file" else base64.b64encode(jpeg_bytes).decode()

    answer = submit(alice, sync="1", **{field: sent})

    assert (answer.status_code, answer.json()["data"]["state"]) == (200, -7)


def test_a_failed_task_is_told_like_any_other(instant_worker: FakeEngine, alice: Person) -> None:
    answer = submit(alice, sync="1", image_file=upload(b"text" * 100))

    assert_matches(answer.json(), fixture("picwish/failed.json"))


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

    monkeypatch.setattr("jobs.intake.fetch.fetch_bytes", fetch)

    data = submit(alice, image_url="http://example.com/a.png", sync=1).json()["data"]

    assert data["state"] == state


def test_a_downloaded_picture_tells_its_download_time(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "jobs.intake.fetch.fetch_bytes", lambda url, policy: Fetched(jpeg_bytes, "image/jpeg", url, 3.0)
    )
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


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_a_stamp_that_a_photo_does_not_have_is_state_minus_11(
    instant_worker: FakeEngine, alice: Person, name: str
) -> None:
    photo = photos.encode(getattr(skimage_data, name)(), "PNG")

    task = submit(alice, image_file=upload(photo), sync=1, type="stamp").json()["data"]

    assert (task["state"], "image" in task) == (-11, False)
    assert instant_worker.calls == []


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
    image.release()
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


def test_the_callback_says_what_the_poll_says(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.webhooks.outbox.delivery_send", lambda delivery_id: None)

    task_id = submit(alice, image_file=upload(jpeg_bytes), callback_url="https://example.com/hook").json()["data"][
        "task_id"
    ]

    delivery = WebhookDelivery.objects.get()
    assert delivery.url == "https://example.com/hook"
    payload = callback_payload(delivery.job)
    assert {**payload["data"], "image": ""} == {**poll(alice, task_id), "image": ""}
    assert opened(payload["data"]["image"]).mode == "RGBA"
