"""Tests of the native API: caching of unchanged files and jobs, byte ranges, and the pages of a large job."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jobs.api.native.recent import Recent
from tests.cast import Person

from .sent import files_of, photo

pytestmark = pytest.mark.django_db
JOBS = "/api/jobs/"


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


def test_pollers_of_an_unfinished_job_share_one_rendering(
    alice: Person, jpeg_bytes: bytes, held_worker: Any, django_assert_max_num_queries: Any
) -> None:
    url = f"/api/jobs/{alice.api().post(JOBS, {'image': photo(jpeg_bytes)}).json()['id']}/?images_page_size=5"
    first = alice.api().get(url)

    with django_assert_max_num_queries(8) as queries:
        second = alice.api().get(url)
    held_worker()
    after = alice.api().get(url)

    assert (second.status_code, second.content, second["ETag"]) == (200, first.content, first["ETag"])
    assert second["Content-Type"] == first["Content-Type"]
    assert not [query for query in queries.captured_queries if '"jobs_jobimage"."name"' in query["sql"]]
    assert after.json()["status"] == "succeeded"


def test_a_value_is_forgotten_after_some_seconds_or_when_there_are_too_many() -> None:
    now_s = [100.0]
    recent: Recent[str] = Recent(most=2, kept_s=5, clock=lambda: now_s[0])
    recent.put("first", "1")
    assert recent.get("first") == "1"
    now_s[0] += 6
    assert recent.get("first") is None

    for number in range(3):
        recent.put(number, str(number))
    assert [recent.get(number) for number in range(3)] == [None, "1", "2"]


def test_a_job_of_many_pictures_is_answered_page_by_page(alice: Person, jpeg_bytes: bytes, idle_worker: None) -> None:
    job = alice.api().post(JOBS, {"image": [photo(jpeg_bytes, f"{number}.jpg") for number in range(5)]}).json()

    names, url = [], f"/api/jobs/{job['id']}/?images_page_size=2"
    while url:
        answer = alice.api().get(url)
        names += [image["name"] for image in answer.json()["images"]]
        url = answer.json()["images_next"]
        assert ("Link" in answer) == bool(url)

    assert names == [f"{number}.jpg" for number in range(5)]
