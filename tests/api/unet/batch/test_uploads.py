"""Tests of `POST /api/matting/batch` with files: an invalid file fails, and the other files are processed."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from jobs.models import Membership, Quota
from jobs.results import storage
from tests import photos
from tests.api.matching import assert_matches, fixture
from tests.api.unet.batch.caller import URL, task
from tests.api.unet.batch.test_archives import zipped
from tests.cast import Person, make_person
from tests.fakes import FakeEngine


def test_many_files_are_cut_out_and_kept_in_the_storage(
    instant_worker: FakeEngine, alice: Person, small: bytes
) -> None:
    files = [SimpleUploadedFile(name, data) for name, data in (("a.png", small), ("b.txt", b"no"), ("c.png", small))]

    answer = alice.api().post(URL, {"images": files, "save_alpha": "true"})

    task_id = answer.json()["task_id"]
    body = task(alice, task_id)
    assert answer.json()["output_dir"] == body["output_dir"] == f"outputs/{task_id}/"
    assert [row["status"] for row in body["files"]] == ["completed", "failed", "completed"]
    first = body["files"][0]
    assert storage.read(first["result_path"]).startswith(b"\x89PNG")
    assert storage.read(first["alpha_path"]).startswith(b"\x89PNG")
    with storage.open_file(body["zip_path"]) as file, zipfile.ZipFile(file) as archive:
        assert Path(first["result_path"]).name in archive.namelist()


def test_a_key_that_may_only_submit_may_upload_a_batch(instant_worker: FakeEngine, alice: Person, small: bytes) -> None:
    program = make_person("program", alice.team, Membership.Role.MEMBER, scopes=("submit", "read"))

    answer = program.api().post(URL, {"images": [SimpleUploadedFile("a.png", small)]})

    assert answer.status_code == 200


@pytest.mark.parametrize("fields", [{}, {"images": ["text"]}, {"zip": "text"}])
def test_a_batch_without_pictures_is_400(alice: Person, fields: dict[str, Any]) -> None:
    answer = alice.api().post(URL, fields)

    assert answer.status_code == 400
    assert_matches(answer.json(), fixture("unet/error.json"))


def test_nothing_but_bad_pictures_is_a_failed_task(instant_worker: FakeEngine, alice: Person) -> None:
    answer = alice.api().post(URL, {"images": [SimpleUploadedFile("a.png", b"no"), SimpleUploadedFile("b.png", b"no")]})

    body = task(alice, answer.json()["task_id"])

    assert (answer.json()["status"], answer.json()["input_count"]) == ("submitted", 2)
    assert (body["status"], body["processed"], body["failed"]) == ("failed", 0, 2)
    assert body["code"] == "image_unreadable"


def test_too_many_files_are_counted_before_one_of_them_is_opened(
    alice: Person, small: bytes, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_MAX_IMAGES_PER_JOB = 2
    opened: list[object] = []
    monkeypatch.setattr("jobs.intake.sources.accept_upload", opened.append)

    answer = alice.api().post(URL, {"images": [SimpleUploadedFile(f"{name}.png", small) for name in "abc"]})

    assert (answer.status_code, opened) == (400, [])
    assert "3 are more than 2" in answer.json()["error"]


@pytest.mark.parametrize("is_zip", [False, True])
def test_a_picture_over_the_teams_own_limit_fails_by_itself(
    instant_worker: FakeEngine, alice: Person, small: bytes, is_zip: bool
) -> None:
    Quota.objects.update_or_create(team=alice.team, defaults={"max_image_megapixels": 0.1})
    members = {"a.jpg": photos.encoded("JPEG", quality=90), "b.png": small}
    files = (
        {"zip": zipped(members)} if is_zip else {"images": [SimpleUploadedFile(*member) for member in members.items()]}
    )

    answer = alice.api().post(URL, files)

    assert answer.status_code == 200, answer.json()
    rows = task(alice, answer.json()["task_id"])["files"]
    assert [(row["status"], row.get("code")) for row in rows] == [("failed", "image_dimensions"), ("completed", None)]
