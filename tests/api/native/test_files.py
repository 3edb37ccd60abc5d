"""Tests of the native API: signed URLs of results, and who may open them."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from jobs.models import Artifact
from jobs.results import storage
from tests.cast import Person

from .sent import files_of, photo

pytestmark = pytest.mark.django_db


def test_links_stay_the_same_for_a_while_and_never_outlive_their_file(
    alice: Person, jpeg_bytes, instant_worker, monkeypatch
):
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()
    artifact = Artifact.objects.get(job=job["id"], kind="cutout")
    start = timezone.now().replace(minute=0, second=1, microsecond=0)

    def until(after_s: int) -> int:
        monkeypatch.setattr("jobs.results.storage.timezone.now", lambda: start + dt.timedelta(seconds=after_s))
        return int(storage.link_to(artifact, ttl_s=3600).partition("until=")[2].partition("&")[0])

    assert until(0) == until(300) < until(400)
    assert until(0) <= start.timestamp() + 3600 * 1.1
    assert until(300) >= start.timestamp() + 300 + 3600
    artifact.expires_at = start + dt.timedelta(seconds=600)
    assert until(0) == until(300) == artifact.expires_at.timestamp()


def test_a_signed_link_opens_its_file_without_a_key_and_no_other(client, alice: Person, jpeg_bytes, instant_worker):
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()
    link = files_of(job, "cutout")[0]["url"]
    other = files_of(job, "alpha")[0]["url"].partition("?")[0] + "?" + link.partition("?")[2]

    assert client.get(link).status_code == 200
    assert client.get(other).status_code == 401
    assert client.get(link.replace("signature=", "signature=x")).status_code == 401
    assert client.get(link.partition("?")[0]).status_code == 401


def test_a_file_is_never_served_as_something_to_run(client, alice: Person, jpeg_bytes, instant_worker):
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes, "<b>.html")}).json()

    answer = client.get(files_of(job, "source")[0]["url"])

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Content-Type"] == "image/jpeg"


def test_another_teams_file_is_not_found_with_a_key(alice: Person, charlie: Person, jpeg_bytes, instant_worker):
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()
    path = files_of(job, "cutout")[0]["url"].partition("?")[0]

    assert alice.api().get(path).status_code == 200
    assert charlie.api().get(path).status_code == 404
    assert alice.api().get(f"/files/{uuid.uuid4()}/x.png").status_code == 404
