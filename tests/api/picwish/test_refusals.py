"""Tests of the PicWish-compatible API: an invalid field or body, or an unreachable queue, gives the vendor's error."""

from __future__ import annotations

import pytest
from django.test import Client

from jobs import errors
from jobs.models import Job
from tests.api.matching import assert_matches, fixture
from tests.api.picwish.caller import LONG, submit, upload
from tests.cast import Person
from tests.fakes import FakeEngine


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


def test_too_many_bytes_are_413_at_once(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, settings) -> None:
    settings.MATTING_MAX_IMAGE_BYTES = 1000

    answer = submit(alice, image_file=upload(jpeg_bytes), sync=1)

    assert (answer.status_code, answer.json()["status"]) == (413, 413)


@pytest.mark.parametrize("body", ["{broken", "[1, 2]", '"text"', '{"image_url": NaN}'])
def test_a_body_that_is_no_json_object_is_400(alice: Person, body: str) -> None:
    answer = alice.api().post(LONG, body, content_type="application/json")

    assert answer.status_code == 400
    assert_matches(answer.json(), fixture("picwish/error.json"))


def test_an_unreachable_queue_is_503(alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise errors.QueueUnavailable

    monkeypatch.setattr("jobs.work.queue.require_available", away)

    answer = submit(alice, image_file=upload(jpeg_bytes))

    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert answer["Retry-After"] == "5"


def test_half_a_character_is_400_and_shown_escaped(alice: Person) -> None:
    answer = alice.api().post(LONG, {"image_base64": "eA==", "type": "\ud800"}, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json() == {
        "status": 400,
        "message": r'type: "\ud800" is not a valid choice; choose from person, object, stamp, auto.',
    }


@pytest.mark.parametrize("path", ["/task", "/task/", "/task/pic/x/y", "/api/tasks/visual/x", "/api/tasks/"])
def test_an_unknown_path_is_answered_in_the_dialects_envelope(client: Client, path: str) -> None:
    for method in ("get", "post", "delete"):
        answer = getattr(client, method)(path)

        assert answer.status_code == 404
        assert answer.json() == {"status": 404, "message": "There is nothing at this URL."}
