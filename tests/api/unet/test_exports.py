"""Tests of the UNet matting API's output folder, which the operator mounts: each result has the name of its picture."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from tests.cast import Person

pytestmark = pytest.mark.django_db


def single(person: Person, picture: bytes, **fields: str) -> Any:
    return person.api().post("/api/matting/single", {"image": SimpleUploadedFile("a.jpg", picture), **fields})


def test_single_writes_to_the_mounted_folder_and_answers_the_guides_path(
    alice: Person, jpeg_bytes: bytes, instant_worker: object, settings: Settings, tmp_path: Path
) -> None:
    settings.MATTING_OUTPUT_ROOTS = [str(tmp_path / "outputs")]

    body = single(alice, jpeg_bytes, save_alpha="true").json()

    for name in ("result_path", "alpha_path"):
        path = Path(body[name])
        assert path.parent == Path("/root/outputs")
        assert (tmp_path / "outputs" / path.name).read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_cannot_be_written_is_a_storage_error(
    alice: Person, jpeg_bytes: bytes, instant_worker: object, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "outputs").write_text("a file, not a folder")
    settings.MATTING_OUTPUT_ROOTS = [str(tmp_path / "outputs")]

    answer = single(alice, jpeg_bytes)

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")


def test_a_batch_can_keep_the_names_of_its_pictures(
    alice: Person, jpeg_bytes: bytes, png_bytes: bytes, instant_worker: object
) -> None:
    files = [SimpleUploadedFile("cat.jpg", jpeg_bytes), SimpleUploadedFile("cat.png", png_bytes)]
    task_id = alice.api().post("/api/matting/batch", {"images": files, "keep_names": "true"}).json()["task_id"]

    url = alice.api().get(f"/api/matting/task/{task_id}").json()["zip_url"]

    content = b"".join(alice.api().get(url).streaming_content)
    assert sorted(zipfile.ZipFile(io.BytesIO(content)).namelist()) == ["cat (2).png", "cat.png"]


def test_an_unknown_field_is_noted_and_ignored(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> None:
    answer = single(alice, jpeg_bytes, alpha_treshold="5")

    assert (answer.status_code, answer["X-Ignored-Fields"]) == (200, "alpha_treshold")


def test_a_repeated_request_makes_one_job(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> None:
    def sent() -> Any:
        body = {"image": SimpleUploadedFile("a.jpg", jpeg_bytes)}
        return alice.api().post("/api/matting/single", body, headers={"Idempotency-Key": "one"})

    first, replay = sent(), sent()

    assert first.json()["result_path"] == replay.json()["result_path"]
    assert replay["Idempotent-Replayed"] == "true"
    assert alice.team.jobs.count() == 1
