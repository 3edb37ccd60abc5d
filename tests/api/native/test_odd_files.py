"""Tests of the native API with damaged files and files with unusual names.

The status must be below 500, and a second request must get the same response.
"""

from __future__ import annotations

from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import Person
from tests.segmentation.formats import build
from tests.segmentation.formats.mutated import mutated

from .sent import files_of, photo

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_damaged_files_get_an_answer_and_the_same_one_twice(alice: Person, instant_worker) -> None:
    for number in range(0, 3000, 20):
        data = mutated(number)
        answers = [alice.api().post("/api/jobs/", {"image": photo(data, "a.jpg")}) for _ in range(2)]

        first, second = ((answer.status_code, _told(answer.json())) for answer in answers)
        assert first == second, number
        assert first[0] in (202, 413, 422), number


def _told(body: dict) -> object:
    """Return the part of a job's or an error's JSON that must be the same for two equal requests."""
    if "images" not in body:
        return body.get("code"), body.get("detail")
    return [
        (image["status"], image["error"], image["width"], image["height"], image["notes"]) for image in body["images"]
    ]


@pytest.mark.parametrize("name", ["IMG_0001", "photo.jpg_large", "photo.txt", "图片"])
def test_a_file_is_judged_by_its_bytes_and_not_by_its_name(
    alice: Person, jpeg_bytes, instant_worker, name: str
) -> None:
    sent = SimpleUploadedFile(name, jpeg_bytes, content_type="application/octet-stream")

    body = alice.api().post("/api/jobs/?wait=10", {"image": sent}).json()

    assert [(image["name"], image["status"]) for image in body["images"]] == [(name, "succeeded")]


@pytest.mark.parametrize("make", [build.heic, partial(build.saved, name="TIFF")])
def test_a_source_that_browsers_do_not_show_has_a_preview(alice: Person, instant_worker, make) -> None:
    body = alice.api().post("/api/jobs/?wait=10", {"image": photo(make(build.ball()), "a")}).json()

    (preview,) = files_of(body, "preview")
    assert (preview["content_type"], preview["width"], preview["height"]) == ("image/jpeg", 320, 240)
    assert alice.browser().get(preview["url"]).status_code == 200
