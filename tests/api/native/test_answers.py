"""Tests of the native API: formats and headers of responses."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from segmentation.engines.base import Matte
from segmentation.errors import InferenceFailed
from tests.cast import Person
from tests.fakes import FakeEngine, answering
from tests.quota.actions import set_quota

from .sent import files_of, photo

pytestmark = pytest.mark.django_db
JOBS = "/api/jobs/"


def kind_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return Image.open(io.BytesIO(content)).format or ""


@pytest.mark.parametrize("accept", ["image/*", "image/png", "text/html", "application/pdf", "*/*;q=0.1"])
def test_a_link_opens_whatever_accept_asks_for(client: Client, job: dict[str, Any], accept: str) -> None:
    answer = client.get(files_of(job, "cutout")[0]["url"], headers={"Accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/pdf", "", "image/png;q=0"])
@pytest.mark.slow
def test_no_route_refuses_a_request_for_its_accept(
    alice: Person, job: dict[str, Any], jpeg_bytes: bytes, accept: str
) -> None:
    api, url = Client(headers={**alice.headers, "Accept": accept}), f"/api/jobs/{job['id']}/"

    answers = [api.get(path) for path in (url, f"{url}zip", JOBS, "/api/account")]
    submitted = api.post(JOBS, {"image": photo(jpeg_bytes)})
    variant = api.post(f"{url}variants", {"threshold": 20}, "application/json")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200]
    assert submitted.status_code == (200 if accept == "image/png" else 202)
    assert [answer["Content-Type"] for answer in answers[:2]] == ["application/json", "application/zip"]
    assert (variant.status_code, variant["Content-Type"]) == (200, "image/png")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("image/png", "PNG"),
        ("image/jpeg", "JPEG"),
        ("image/webp", "WEBP"),
        ("image/*", "PNG"),
        ("image/avif, image/webp, */*;q=0.8", "WEBP"),
        ("image/jpeg;q=0.5, image/webp;q=0.9", "WEBP"),
        ("application/json;q=0.2, image/jpeg", "JPEG"),
    ],
)
def test_accept_chooses_the_format_of_the_picture(
    alice: Person, jpeg_bytes: bytes, instant_worker: object, accept: str, expected: str
) -> None:
    answer = alice.api().post(JOBS, {"image": photo(jpeg_bytes)}, headers={"Accept": accept})

    assert answer.status_code == 200
    assert kind_of(answer) == expected


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "image/png;q=0.5, application/json", "image/png;q=0, */*"]
)
def test_json_is_answered_where_it_is_preferred(
    alice: Person, jpeg_bytes: bytes, idle_worker: None, accept: str
) -> None:
    answer = alice.api().post(JOBS, {"image": photo(jpeg_bytes)}, headers={"Accept": accept})

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


def test_a_named_format_wins_over_accept(alice: Person, job: dict[str, Any]) -> None:
    url, json = f"/api/jobs/{job['id']}/variants", "application/json"

    by_accept = alice.api().post(url, {}, json, headers={"Accept": "image/webp"})
    by_name = alice.api().post(url, {"format": "png"}, json, headers={"Accept": "image/webp"})
    refused = alice.api().post(url, {"erosion": 9}, json, headers={"Accept": "image/png"})

    assert (kind_of(by_accept), kind_of(by_name)) == ("WEBP", "PNG")
    assert (refused.status_code, refused["Content-Type"]) == (422, "application/problem+json")


def test_a_picture_may_be_the_whole_body_with_its_options_in_the_query(
    alice: Person, jpeg_bytes: bytes, instant_worker: object
) -> None:
    named = {"Content-Disposition": 'attachment; filename="cat.jpg"'}

    answer = alice.api().post(f"{JOBS}?wait=5&threshold=20&crop=true", jpeg_bytes, "image/jpeg", headers=named)

    body = answer.json()
    assert (body["status"], body["images"][0]["name"]) == ("succeeded", "cat.jpg")
    assert (body["options"]["threshold"], body["options"]["crop"]) == (20, True)


@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream"])
@pytest.mark.parametrize("path", ["/api/jobs/?wait=5", "/api/uploads/"])
def test_the_content_decides_what_a_raw_picture_is(
    alice: Person, jpeg_bytes: bytes, instant_worker: object, path: str, content_type: str
) -> None:
    answer = alice.api().post(path, jpeg_bytes, content_type)

    picture = answer.json().get("images", [answer.json()])[0]
    assert answer.status_code < 300
    assert (picture["name"], picture["width"]) == ("picture", 512)


@pytest.mark.parametrize(
    ("content_type", "status", "words"),
    [
        ("text/plain", 415, "send multipart/form-data, application/x-www-form-urlencoded, application/json, image/*"),
        ("application/x-www-form-urlencoded", 400, "such as image/jpeg"),
        ("application/json", 400, "cannot be read"),
    ],
)
def test_a_picture_under_a_wrong_content_type_is_told_what_to_send(
    alice: Person, jpeg_bytes: bytes, content_type: str, status: int, words: str
) -> None:
    answer = alice.api().post(JOBS, jpeg_bytes, content_type)

    assert (answer.status_code, answer.json()["code"]) == (status, "malformed_body")
    assert words in answer.json()["detail"]


def test_an_accepted_job_is_found_at_its_location(alice: Person, jpeg_bytes: bytes, idle_worker: None) -> None:
    answer = alice.api().post(JOBS, {"image": photo(jpeg_bytes)})

    assert alice.api().get(answer["Location"]).json()["id"] == answer.json()["id"]


def test_a_list_links_to_its_other_pages(alice: Person, jpeg_bytes: bytes, idle_worker: None) -> None:
    for _ in range(3):
        alice.api().post(JOBS, {"image": photo(jpeg_bytes)})

    link = alice.api().get("/api/jobs/?page_size=1&page=2&status=queued")["Link"]

    assert 'page_size=1&page=1&status=queued>; rel="prev"' in link
    assert 'page_size=1&page=3&status=queued>; rel="last"' in link


def test_every_answer_names_its_request(client: Client, alice: Person) -> None:
    problem = alice.api().get("/api/jobs/nonsense")

    ids = [client.get(path)["X-Request-Id"] for path in ("/health/live", "/api/jobs/", "/openapi.json")]
    assert len(set(ids)) == 3
    refused = alice.api().post(JOBS, {})
    assert refused.json()["request_id"] == refused["X-Request-Id"]
    assert problem["X-Request-Id"]


def test_the_rate_headers_count_the_requests_own_pictures(alice: Person, jpeg_bytes: bytes, idle_worker: None) -> None:
    set_quota(alice, images_per_day=10)

    answer = alice.api().post(JOBS, {"image": [photo(jpeg_bytes), photo(jpeg_bytes)]})

    assert '"pictures-day";r=8;' in answer["RateLimit"]


def test_a_replay_is_marked_on_every_submitting_route(alice: Person, job: dict[str, Any]) -> None:
    def sent(key: str) -> Any:
        url = f"/api/jobs/{job['id']}/again"
        return alice.api().post(url, {"erosion": 1}, "application/json", headers={"Idempotency-Key": key})

    first, replay, other = sent("one"), sent("one"), sent("two")

    assert first.json()["id"] == replay.json()["id"] != other.json()["id"]
    assert [answer.headers.get("Idempotent-Replayed") for answer in (first, replay, other)] == [None, "true", None]


class TooLarge(FakeEngine):
    """A fake inference engine that raises an out-of-memory error for the first picture."""

    def auto(self, rgb: np.ndarray) -> Matte:
        if not self.calls:
            self.calls.append("auto")
            raise InferenceFailed from MemoryError()
        return super().auto(rgb)


@pytest.mark.parametrize(("engine", "reason"), [(FakeEngine(), "quality"), (TooLarge(), "memory")])
def test_each_picture_names_its_model_and_the_reason(
    alice: Person,
    jpeg_bytes: bytes,
    instant_worker: object,
    monkeypatch: pytest.MonkeyPatch,
    engine: FakeEngine,
    reason: str,
) -> None:
    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(engine))

    body = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()

    for shown in (body, alice.api().get(f"/api/jobs/{body['id']}/").json()):
        image = shown["images"][0]
        assert (image["model"], image["tier"], image["model_reason"]) == (
            f"{engine.name} {engine.version}",
            "fast",
            reason,
        )
