"""A bucket prefix can be watched like a folder."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from cloudpathlib import S3Client
from moto import mock_aws

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
