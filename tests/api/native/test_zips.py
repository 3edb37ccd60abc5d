"""Tests of the native API: submissions of zip files, and results as a zip file."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.cast import Person

from .sent import photo

pytestmark = pytest.mark.django_db


def test_a_zip_stands_for_the_pictures_in_it_and_a_bad_one_fails_by_itself(
    alice: Person, jpeg_bytes, png_bytes, instant_worker
):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("in/a.jpg", jpeg_bytes)
        bundle.writestr("in/notes.jpg", b"no picture")
    sent = {"zip": photo(file.getvalue(), "photos.zip"), "image": photo(png_bytes, "b.png")}

    body = alice.api().post("/api/jobs/?wait=10", sent, headers={"Idempotency-Key": "zip"}).json()

    assert [(image["name"], image["status"]) for image in body["images"]] == [
        ("in/a.jpg", "succeeded"),
        ("in/notes.jpg", "failed"),
        ("b.png", "succeeded"),
    ]
    refused = alice.api().post("/api/jobs/", {"image": photo(file.getvalue(), "photos.zip")})
    assert refused.status_code == 422


def test_all_results_of_a_job_come_as_one_zip(alice: Person, jpeg_bytes, png_bytes, instant_worker):
    two = [photo(jpeg_bytes, "a.jpg"), photo(png_bytes, "a.png")]
    job = alice.api().post("/api/jobs/?wait=10", {"image": two, "outputs": "cutout,mask"}).json()

    answer = alice.api().get(f"/api/jobs/{job['id']}/zip", headers={"Accept": "application/zip"})

    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as bundle:
        assert bundle.testzip() is None
        assert sorted(bundle.namelist()) == ["a (2).png", "a.png", "a_mask (2).png", "a_mask.png"]
