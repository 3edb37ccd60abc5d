"""Tests that a watcher can watch a prefix of a bucket, as it watches a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from cloudpathlib import S3Client
from moto import mock_aws

from jobs.watching.manifest import Manifest, Row
from jobs.watching.places import Place


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="shop")
        S3Client().set_as_default_client()
        yield "s3://shop/inbox"
    S3Client._default_client = None


def test_files_are_listed_read_written_and_moved(bucket: str) -> None:
    place = Place(bucket)
    place.write("bag.jpg", b"picture")
    place.write("failed/old.jpg.txt", b"reason")
    place.write("Thumbs.db", b"litter")

    (arrival,) = place.arrivals()
    place.move("bag.jpg", "done")
    place.append("manifest.csv", b"one\n")
    place.append("manifest.csv", b"two\n")

    assert (arrival.name, arrival.bytes) == ("bag.jpg", 7)
    assert place.look("bag.jpg") is None
    assert place.read("done/bag.jpg") == b"picture"
    assert place.tail("manifest.csv") == b"one\ntwo\n"
    assert list(place.arrivals()) == []


def test_the_tail_of_a_large_file_starts_with_a_complete_line(bucket: str) -> None:
    place = Place(bucket)
    place.write("manifest.jsonl", b'{"job": "first"}\n' * 1000)

    assert place.tail("manifest.jsonl", 100) == b'{"job": "first"}\n' * 5


@pytest.mark.slow
def test_a_large_manifest_continues_in_parts_and_a_restart_repeats_no_row(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.watching.manifest.PART_BYTES", 300)
    place = Place(bucket)
    for number in range(20):
        for _ in range(2):  # again, as after a kill between the row and the move
            Manifest(place).add(Row(job=f"job-{number}", source=f"{number}.jpg", status="done"))

    parts = [place.tail(f"manifest{end}.jsonl") for end in ("", *range(-2, -20, -1))]
    sheets = [place.tail(f"manifest{end}.csv") for end in ("", "-2", "-3")]
    assert [json.loads(line)["job"] for part in parts for line in part.splitlines()] == [f"job-{n}" for n in range(20)]
    assert max(map(len, parts)) < 1000
    assert all(sheet.startswith(b"job,source") for sheet in sheets if sheet)
    assert sheets[1]
    assert list(place.arrivals()) == []


def test_a_watcher_starts_beside_a_manifest_of_an_earlier_version_of_any_size(bucket: str) -> None:
    place = Place(bucket)
    row = json.dumps({"job": "old", "source": "x" * 200}).encode() + b"\n"
    place.write("manifest.jsonl", row * 2000)

    Manifest(place).add(Row(job="new", source="new.jpg", status="done"))

    assert [json.loads(line)["job"] for line in place.tail("manifest-2.jsonl").splitlines()] == ["new"]
