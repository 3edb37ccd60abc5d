"""Native API: headers and formats of responses, and helpful errors."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from jobs.models import Job, Scope
from jobs.teams.keys import key_create
from jobs.work.cancel import job_cancel
from tests.cast import Person
from tests.quota.deeds import set_quota

from .sent import files_of, photo

pytestmark = pytest.mark.django_db
JOBS = "/api/jobs/"


@pytest.fixture
def job(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> dict[str, Any]:
    return alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()


def kind_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return Image.open(io.BytesIO(content)).format or ""


# Formats --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["image/*", "image/png", "text/html", "application/pdf", "*/*;q=0.1"])
def test_a_link_opens_whatever_accept_asks_for(client: Client, job: dict[str, Any], accept: str) -> None:
    answer = client.get(files_of(job, "cutout")[0]["url"], headers={"Accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/pdf", "", "image/png;q=0"])
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


# Caching and ranges ---------------------------------------------------------------------------------------------------


def test_a_file_that_has_not_changed_is_not_sent_again(client: Client, job: dict[str, Any]) -> None:
    url = files_of(job, "cutout")[0]["url"]
    etag = client.get(url)["ETag"]

    again = client.get(url, headers={"If-None-Match": etag})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize(
    ("wanted", "expected"), [("bytes=0-3", slice(0, 4)), ("bytes=10-", slice(10, None)), ("bytes=-5", slice(-5, None))]
)
def test_one_range_of_a_file_is_sent(client: Client, job: dict[str, Any], wanted: str, expected: slice) -> None:
    url = files_of(job, "cutout")[0]["url"]
    whole = b"".join(client.get(url).streaming_content)

    answer = client.get(url, headers={"Range": wanted})

    assert answer.status_code == 206
    assert b"".join(answer.streaming_content) == whole[expected]
    start, end, _ = expected.indices(len(whole))
    assert answer["Content-Range"] == f"bytes {start}-{end - 1}/{len(whole)}"


def test_a_range_outside_the_file_is_refused_and_an_unknown_one_ignored(client: Client, job: dict[str, Any]) -> None:
    url = files_of(job, "cutout")[0]["url"]

    assert client.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert client.get(url, headers={"Range": "lines=1-2"}).status_code == 200
    assert client.get(url, headers={"Range": "bytes=5-2"}).status_code == 200
    assert client.get(url, headers={"Range": "bytes=0-1,4-5"}).status_code == 200
    assert client.get(url, headers={"Range": "bytes=0-3", "If-Range": '"other"'}).status_code == 200


def test_a_poll_of_an_unchanged_job_is_304_and_reads_no_picture(
    alice: Person, jpeg_bytes: bytes, held_worker: Any, django_assert_max_num_queries: Any
) -> None:
    url = f"/api/jobs/{alice.api().post(JOBS, {'image': photo(jpeg_bytes)}).json()['id']}/"
    etag = alice.api().get(url)["ETag"]

    with django_assert_max_num_queries(8) as queries:
        unchanged = alice.api().get(url, headers={"If-None-Match": etag})
    held_worker()
    changed = alice.api().get(url, headers={"If-None-Match": etag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert not [query for query in queries.captured_queries if '"jobs_jobimage"."name"' in query["sql"]]
    assert (changed.status_code, changed.json()["status"]) == (200, "succeeded")


def test_a_job_of_many_pictures_is_answered_page_by_page(alice: Person, jpeg_bytes: bytes, idle_worker: None) -> None:
    job = alice.api().post(JOBS, {"image": [photo(jpeg_bytes, f"{number}.jpg") for number in range(5)]}).json()

    names, url = [], f"/api/jobs/{job['id']}/?images_page_size=2"
    while url:
        answer = alice.api().get(url)
        names += [image["name"] for image in answer.json()["images"]]
        url = answer.json()["images_next"]
        assert ("Link" in answer) == bool(url)

    assert names == [f"{number}.jpg" for number in range(5)]


# Headers --------------------------------------------------------------------------------------------------------------


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


# Errors ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"treshold": 5}, "treshold", "did you mean threshold?"),
        ({"method": "magic"}, "method", "choose from auto, boxes, points, instances"),
        ({"threshold": 99}, "threshold", "a whole number from 0 to 50"),
        ({"crop_margin": 2}, "crop_margin", "from 0 to 0.5"),
        ({"callback_url": "http://127.0.0.1/"}, "callback_url", ""),
        ({"crop": "maybe"}, "crop", "true or false"),
    ],
)
def test_a_problem_names_the_field_and_what_it_may_be(
    alice: Person, jpeg_bytes: bytes, idle_worker: None, sent: dict[str, Any], field: str, words: str
) -> None:
    problem = alice.api().post(JOBS, {"image": photo(jpeg_bytes), **sent}).json()

    assert (problem["field"], problem["code"]) == (field, problem["type"].partition("#")[2])
    assert words in problem["detail"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "near"),
    [
        ("get", "/api/jobs/{id}/?wiat=5", "wait"),
        ("post", "/api/jobs/{id}/again?wiat=5", "wait"),
        ("get", "/api/jobs/?pages=2", "page"),
        ("get", "/api/jobs/{id}/zip?wait=5", ""),
        ("get", "/api/webhooks/deliveries/?stauts=failed", "status"),
    ],
)
def test_an_unknown_name_in_a_query_is_an_error(
    alice: Person, job: dict[str, Any], method: str, path: str, near: str
) -> None:
    answer = getattr(alice.api(), method)(path.format(**job), content_type="application/json")

    assert (answer.status_code, answer.json()["title"]) == (422, "A parameter is not known.")
    assert (f"did you mean {near}?" if near else "the fields are none") in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "sent", "title"),
    [
        ("/api/jobs/{id}/variants", {"position": 7}, "There is no such picture."),
        ("/api/jobs/{id}/again", {"position": 7}, "There is no such picture."),
        (JOBS, {"upload": "7a1b1b6e-3b3a-4f26-bd0b-6f5e4b4f4b4b"}, "There is no such upload, or it has expired."),
        (JOBS, {"image_url": "https://pictures.example/a", "points": [[1, 1, 7]]}, "A point is not valid."),
        (JOBS, {"image_url": "https://pictures.example/a", "boxes": [[5, 5, 1, 1]]}, "A box is not valid."),
    ],
)
def test_the_title_tells_what_was_wrong(
    alice: Person, job: dict[str, Any], path: str, sent: dict[str, Any], title: str
) -> None:
    problem = alice.api().post(path.format(**job), sent, "application/json").json()

    assert (problem["title"], problem["field"]) == (title, list(sent)[-1])


def test_a_url_that_does_not_exist_is_a_problem_with_its_request(client: Client, db: None) -> None:
    answer = client.get("/api/jobs/not-an-id/")

    assert (answer.status_code, answer.json()["request_id"]) == (404, answer["X-Request-Id"])


def test_an_unknown_status_or_filter_of_a_list_is_an_error(alice: Person) -> None:
    unknown, misspelt = (alice.api().get(f"/api/jobs/?{query}") for query in ("status=done", "stauts=failed"))

    assert (unknown.status_code, unknown.json()["field"]) == (422, "status")
    assert "queued, running, succeeded" in unknown.json()["detail"]
    assert "did you mean status?" in misspelt.json()["detail"]


def test_a_missing_scope_is_named(alice: Person) -> None:
    _, secret = key_create(team=alice.team, name="reader", scopes=[Scope.READ])

    problem = Client(headers={"Authorization": f"Bearer {secret}"}).post(JOBS, {}).json()

    assert (problem["code"], problem["scope"], problem["title"]) == (
        "permission_denied",
        "submit",
        "The key lacks a scope.",
    )


def test_an_expired_link_says_so(client: Client, job: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    url = files_of(job, "cutout")[0]["url"]
    import datetime as dt

    from django.utils import timezone

    later = timezone.now() + dt.timedelta(days=1)
    monkeypatch.setattr("jobs.results.storage.timezone.now", lambda: later)

    answer = client.get(url)

    assert (answer.status_code, answer.json()["title"]) == (403, "The link has expired.")


def test_a_link_that_was_changed_says_so(client: Client, job: dict[str, Any]) -> None:
    url = files_of(job, "cutout")[0]["url"]

    changed, unsigned = client.get(f"{url}x"), client.get(url.partition("?")[0])

    assert (changed.status_code, changed.json()["title"]) == (401, "The link is not valid.")
    assert (unsigned.status_code, unsigned.json()["title"]) == (401, "A valid API key is needed.")


@pytest.mark.parametrize(
    "changes",
    [
        {"boxes": [[1, 1, 90, 90]]},
        {"points": [[9, 9, 1]]},
        {"method": "instances"},
        {"subject": "person"},
        {"quality": "fine"},
        {"refine": False},
    ],
)
def test_a_variant_refuses_what_only_a_new_run_can_change(
    alice: Person, job: dict[str, Any], changes: dict[str, Any]
) -> None:
    answer = alice.api().post(f"/api/jobs/{job['id']}/variants", changes, "application/json")

    assert (answer.status_code, answer.json()["field"]) == (422, next(iter(changes)))
    assert "`again`" in answer.json()["detail"]
    unchanged = {"method": "auto", "subject": "auto", "refine": True, "boxes": [], "points": [], "quality": "fast"}
    assert alice.api().post(f"/api/jobs/{job['id']}/variants", unchanged, "application/json").status_code == 200


def test_the_zip_of_a_cancelled_job_is_an_error(alice: Person, jpeg_bytes: bytes, idle_worker: None) -> None:
    job = alice.api().post(JOBS, {"image": photo(jpeg_bytes)}).json()
    job_cancel(actor=alice.actor, job=Job.objects.get())

    answer = alice.api().get(f"/api/jobs/{job['id']}/zip")

    assert (answer.status_code, answer.json()["code"]) == (409, "canceled")


def test_a_signed_link_of_the_site_is_a_source_without_a_download(
    alice: Person, charlie: Person, job: dict[str, Any]
) -> None:
    link = files_of(job, "cutout")[0]["url"]
    forged = link.replace("signature=", "signature=x")

    chained = charlie.api().post("/api/jobs/?wait=5", {"image_url": link}, "application/json").json()
    downloaded = charlie.api().post("/api/jobs/?wait=5", {"image_url": forged}, "application/json").json()

    assert (chained["status"], chained["images"][0]["width"]) == ("succeeded", 512)
    assert (downloaded["status"], downloaded["error"]["code"]) == ("failed", "download_failed")
