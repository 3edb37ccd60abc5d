"""Tests of the native API: with the header `Accept: image/…`, the response is the picture itself."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from tests.cast import Person
from tests.fakes import FakeEngine


@pytest.mark.parametrize("accept", ["image/png", "image/*"])
def test_who_accepts_a_picture_gets_the_cutout(
    accept: str, alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    response = alice.api().post("/api/jobs/", {"image": _upload(jpeg_bytes)}, headers={"Accept": accept})

    picture = Image.open(io.BytesIO(response.getvalue()))
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert (picture.mode, picture.size) == ("RGBA", (512, 512))


def test_who_accepts_a_picture_and_asks_for_jpeg_gets_jpeg(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    fields = {"image": _upload(jpeg_bytes), "format": "jpeg", "background": "#ffffff"}

    response = alice.api().post("/api/jobs/", fields, headers={"Accept": "image/jpeg"})

    assert Image.open(io.BytesIO(response.getvalue())).format == "JPEG"


def test_an_error_is_a_problem_document_all_the_same(alice: Person) -> None:
    response = alice.api().post("/api/jobs/", {"image": _upload(b"text")}, headers={"Accept": "image/png"})

    assert response.status_code == 422
    assert response["Content-Type"].startswith("application/problem+json")
    assert response.json()["code"] == "image_unreadable"


def test_several_pictures_have_no_single_answer(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    fields = {"image": [_upload(jpeg_bytes), _upload(jpeg_bytes)]}

    response = alice.api().post("/api/jobs/", fields, headers={"Accept": "image/png"})

    assert response.status_code == 422
    assert not alice.team.jobs.exists()


def _upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", content, content_type="image/jpeg")
