"""Tests that each API accepts a signed URL of this site as a picture's URL, and reads the file from the storage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.utils import timezone
from moto import mock_aws
from pytest_django import Settings

from jobs.models import Artifact, Job, JobImage, Status
from jobs.results import storage
from tests.api.contracts import Submission, every_contract
from tests.api.native.sent import files_of, photo
from tests.cast import Person
from tests.fakes import FakeEngine

pytestmark = pytest.mark.django_db
BY_URL = {
    f"{contract.name} {one.path}": one
    for contract in every_contract()
    for one in contract.submissions
    if one.body is not None or one.query is not None
}
BUCKET = "pictures"


@pytest.fixture(params=["folder", "bucket"])
def storage_kind(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run the test with files in a folder and then with files in a bucket; yield `folder` or `bucket`."""
    if request.param == "folder":
        yield request.param
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        options = {"bucket_name": BUCKET, "region_name": "us-east-1", "file_overwrite": True}
        backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = settings.STORAGES | {"default": backend}
        yield request.param


@pytest.fixture
def link(alice: Person, jpeg_bytes: bytes, storage_kind: str, instant_worker: FakeEngine, settings: Settings) -> str:
    """Return the signed URL of a cutout that this site stores. The settings forbid downloads from the local machine."""
    settings.MATTING_FETCH_ALLOW = ""
    body = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()
    url = files_of(body, "cutout")[0]["url"]
    return url.replace("http://testserver", "http://127.0.0.1:8000")


def send(person: Person, submission: Submission, url: str) -> Any:
    if submission.query is not None:
        return person.api().get(submission.path, submission.query(url), headers=submission.headers)
    assert submission.body is not None
    return person.api().post(submission.path, submission.body(url), "application/json", headers=submission.headers)


@pytest.mark.parametrize("way", BY_URL)
@pytest.mark.slow
def test_a_result_is_the_picture_of_the_next_request(charlie: Person, link: str, storage_kind: str, way: str) -> None:
    stored = Artifact.objects.get(kind=Artifact.Kind.CUTOUT)

    answer = send(charlie, BY_URL[way], link)

    chained = Job.objects.get(team=charlie.team)
    picture = JobImage.objects.get(job=chained)
    assert answer.status_code < 300
    assert (chained.status, picture.source_url) == (Status.SUCCEEDED, "")
    source = Artifact.objects.get(job=chained, kind=Artifact.Kind.SOURCE)
    assert storage.read(source.key) == storage.read(stored.key)


@pytest.mark.parametrize("way", BY_URL)
@pytest.mark.parametrize("storage_kind", ["folder"], indirect=True)
def test_a_forged_link_is_any_url_to_the_guard(charlie: Person, link: str, way: str) -> None:
    send(charlie, BY_URL[way], link.replace("signature=", "signature=x"))

    assert not Job.objects.filter(team=charlie.team, status=Status.SUCCEEDED).exists()


@pytest.mark.parametrize("way", BY_URL)
@pytest.mark.parametrize("storage_kind", ["folder"], indirect=True)
@pytest.mark.parametrize("lost", ["expired", "deleted"])
@pytest.mark.slow
def test_a_link_that_no_longer_opens_is_a_failed_download(
    charlie: Person, link: str, way: str, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lost == "expired":
        later = timezone.now() + dt.timedelta(days=1)
        monkeypatch.setattr("jobs.results.storage.timezone.now", lambda: later)
    else:
        storage.delete(Artifact.objects.get(kind=Artifact.Kind.CUTOUT).key)

    answer = send(charlie, BY_URL[way], link)

    assert answer.status_code not in (401, 403, 404, 500)
    assert not Job.objects.filter(team=charlie.team, status=Status.SUCCEEDED).exists()
