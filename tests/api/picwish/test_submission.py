"""Tests of submissions to the PicWish-compatible API.

The requests use both path prefixes, form or JSON, and wait for the result or poll for it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from jobs.models import JobImage
from jobs.work import tasks
from tests.api.matching import assert_matches, fixture
from tests.api.picwish.caller import LONG, POLLS, VENDOR, opened, poll, submit, upload
from tests.cast import Person
from tests.fakes import FakeEngine, answering


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
def test_both_families_of_paths_answer_the_same(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, path: str, poll_path: str
) -> None:
    task_id = submit(alice, path, image_file=upload(jpeg_bytes)).json()["data"]["task_id"]

    assert poll(alice, task_id, poll_path)["task_id"] == task_id


def test_json_and_forms_say_the_same(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    fields = {"image_base64": base64.b64encode(jpeg_bytes).decode(), "sync": 1, "output_type": 3}
    form = {name: str(value) for name, value in fields.items()}
    kinds = [("application/json", json.dumps(fields)), ("application/x-www-form-urlencoded", urlencode(form))]

    answers = [alice.api().post(LONG, body, content_type=kind).json()["data"] for kind, body in kinds]

    for data in answers:
        assert (data["state"], data["output_type"], "image" in data, "mask" in data) == (1, 3, False, True)


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("name", ["type", "output_type", "crop", "callback_url", "image_url"])
def test_null_means_not_sent(alice: Person, jpeg_bytes: bytes, name: str) -> None:
    fields = {"image_base64": base64.b64encode(jpeg_bytes).decode(), name: None}

    answer = alice.api().post(LONG, fields, content_type="application/json")

    assert answer.status_code == 200
    assert_matches(answer.json(), fixture("picwish/submitted.json"))


@pytest.mark.usefixtures("idle_worker")
def test_a_closing_slash_and_a_byte_order_mark_change_nothing(alice: Person, jpeg_bytes: bytes) -> None:
    body = "\ufeff" + json.dumps({"image_base64": base64.b64encode(jpeg_bytes).decode()})

    answer = alice.api().post(f"{LONG}/", body, content_type="application/json")

    assert poll(alice, answer.json()["data"]["task_id"] + "/")["state"] == 0


def test_the_worker_claims_what_this_dialect_submits(
    idle_worker: None, alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(FakeEngine()))
    task_id = submit(alice, image_file=upload(jpeg_bytes)).json()["data"]["task_id"]
    tasks.image_process(str(JobImage.objects.get().id))

    assert poll(alice, task_id)["state"] == 1
