"""Tests of `POST /api/matting/batch` with a folder of the server: results, zip and errors."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jobs.models import Job
from tests.api.unet.batch.caller import URL, submit, task
from tests.cast import Person
from tests.fakes import FakeEngine


def test_results_lie_in_the_output_folder_and_in_the_zip(
    instant_worker: FakeEngine, alice: Person, inputs: Path, outputs: Path
) -> None:
    task_id = submit(alice, save_alpha=True).json()["task_id"]

    moment = task_id.removeprefix("batch_")
    folder = outputs / task_id
    names = sorted(path.name for path in folder.iterdir())
    first = moment.replace("_", "", 1)
    assert {f"outputs_{first}.png", f"outputs_{first}_alpha.png"} < set(names)
    assert len(names) == 4
    with zipfile.ZipFile(outputs / f"batch_results_{moment}.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == names
        assert archive.read(names[0]) == (folder / names[0]).read_bytes()
    assert sorted(path.name for path in outputs.iterdir()) == [task_id, f"batch_results_{moment}.zip"]


def test_the_zip_link_opens_the_same_zip(
    instant_worker: FakeEngine, alice: Person, inputs: Path, outputs: Path
) -> None:
    body = task(alice, submit(alice).json()["task_id"])

    answer = Client().get(body["zip_url"].removeprefix("http://testserver"))

    assert answer["Content-Type"] == "application/zip"
    assert b"".join(answer.streaming_content) == (outputs / Path(body["zip_path"]).name).read_bytes()


def test_files_that_are_no_picture_do_not_stop_the_rest(
    instant_worker: FakeEngine, alice: Person, inputs: Path
) -> None:
    (inputs / "cut.jpg").write_bytes((inputs / "a.jpg").read_bytes()[:900])
    (inputs / "empty.png").touch()

    body = task(alice, submit(alice).json()["task_id"])

    assert (body["status"], body["processed"], body["failed"]) == ("completed", 2, 3)
    failed = {row["name"]: row["code"] for row in body["files"] if row["status"] == "failed"}
    assert failed == {"cut.jpg": "image_unreadable", "empty.png": "image_missing", "notes.txt": "image_unreadable"}


def test_a_folder_without_any_picture_fails_with_the_reason(
    instant_worker: FakeEngine, alice: Person, inputs: Path, outputs: Path
) -> None:
    (inputs / "a.jpg").unlink()
    (inputs / "b.png").unlink()

    body = task(alice, submit(alice).json()["task_id"])

    assert (body["status"], body["processed"], body["failed"]) == ("failed", 0, 1)
    assert "not a picture" in body["error"]
    assert "zip_path" not in body
    assert not outputs.exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"input_dir": "inputs/missing"}, "input_dir: there is no such folder"),
        ({"input_dir": "inputs/a.jpg"}, "input_dir: this is not a folder"),
        ({"input_dir": "inputs/deeper"}, "input_dir: the folder holds no file"),
        ({"input_dir": ""}, "input_dir: "),
        ({"input_dir": "inputs\0"}, "input_dir: "),
        ({"input_dir": 7.5, "output_dir": []}, "output_dir: "),
        ({"alpha_threshold": 51}, "alpha_threshold: "),
        ({"edge_feathering": "maybe"}, "edge_feathering: "),
        ({"bg_color": "#ggg"}, "bg_color: "),
        ({"output_format": "\ud800"}, 'output_format: "\\ud800" is not a valid choice; choose from png, jpeg.'),
    ],
)
def test_a_bad_request_is_400_and_says_which_field(
    instant_worker: FakeEngine, alice: Person, inputs: Path, fields: dict[str, Any], reason: str
) -> None:
    answer = submit(alice, **fields)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(reason)
    assert not Job.objects.exists()


def test_more_files_than_a_job_may_have_are_refused(
    instant_worker: FakeEngine, alice: Person, inputs: Path, settings
) -> None:
    settings.MATTING_MAX_IMAGES_PER_JOB = 2

    answer = submit(alice)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("label", ["application/json", "Application/JSON; charset=UTF-8"])
def test_a_folder_is_known_by_its_content_type_in_any_case_and_with_a_byte_order_mark(
    instant_worker: FakeEngine, alice: Person, inputs: Path, label: str
) -> None:
    body = "\ufeff" + json.dumps({"input_dir": "/root/inputs/", "output_dir": "/root/outputs/"})

    answer = alice.api().post(f"{URL}/", body, content_type=label)

    assert (answer.status_code, answer.json()["input_count"]) == (200, 3)
