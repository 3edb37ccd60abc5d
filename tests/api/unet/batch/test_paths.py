"""Tests that `POST /api/matting/batch` reads and writes only in the operator's folders, also with unusual paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.models import Job, Membership
from tests.api.matching import assert_matches, fixture
from tests.api.unet.batch.caller import URL, submit, task
from tests.cast import Person, make_person
from tests.fakes import FakeEngine


@pytest.mark.parametrize("path", ["{root}", "{root}/", "inputs", "inputs/", ".", "/root/inputs", "{root}/x/../"])
def test_a_folder_may_be_named_in_several_ways(
    instant_worker: FakeEngine, alice: Person, inputs: Path, path: str
) -> None:
    answer = submit(alice, input_dir=path.format(root=inputs))

    assert answer.json()["input_count"] == 3


def test_a_link_inside_the_root_is_followed(instant_worker: FakeEngine, alice: Person, inputs: Path) -> None:
    (inputs / "deeper" / "c.png").write_bytes((inputs / "b.png").read_bytes())
    (inputs / "also").symlink_to(inputs / "deeper")

    body = task(alice, submit(alice, input_dir="also").json()["task_id"])

    assert (body["processed"], body["failed"]) == (1, 0)


def test_a_linked_file_that_leaves_the_root_is_skipped_as_failed(
    instant_worker: FakeEngine, alice: Person, inputs: Path, tmp_path: Path, small: bytes
) -> None:
    (tmp_path / "secret.png").write_bytes(small)
    (inputs / "link.png").symlink_to(tmp_path / "secret.png")

    body = task(alice, submit(alice).json()["task_id"])

    assert body["processed"] == 2
    assert {row["name"]: row.get("code") for row in body["files"]}["link.png"] == "permission_denied"


@pytest.mark.parametrize("field", ["input_dir", "output_dir"])
@pytest.mark.parametrize("path", ["/etc", "/", "../..", "/root/inputs/../../etc", "{root}/../..", "{link}", "/no/such"])
def test_a_folder_outside_the_roots_is_403_and_nothing_is_read(
    instant_worker: FakeEngine, alice: Person, inputs: Path, outputs: Path, tmp_path: Path, field: str, path: str
) -> None:
    outputs.mkdir()
    (inputs / "way-out").symlink_to(tmp_path)
    (outputs / "way-out").symlink_to(tmp_path)

    answer = submit(
        alice, **{field: path.format(root=inputs, link=(inputs if field == "input_dir" else outputs) / "way-out")}
    )

    assert answer.status_code == 403
    assert_matches(answer.json(), fixture("unet/error.json"))
    assert not Job.objects.exists()


def test_without_the_scope_it_is_403_before_the_body_is_looked_at(db: None, alice: Person, inputs: Path) -> None:
    program = make_person("program", alice.team, Membership.Role.MEMBER, scopes=("submit", "read"))

    answer = program.api().post(URL, "{broken", content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_an_output_folder_that_cannot_be_written_is_said_at_once(
    instant_worker: FakeEngine, alice: Person, inputs: Path, outputs: Path
) -> None:
    outputs.mkdir()
    (outputs / "file").write_text("in the way")

    answer = submit(alice, output_dir=str(outputs / "file" / "deeper"))

    assert answer.json()["error"] == "output_dir: this folder cannot be written"


def test_an_output_folder_swapped_for_a_link_out_of_the_root_gets_nothing(
    held_worker: Callable[[], None], alice: Person, inputs: Path, outputs: Path, tmp_path: Path
) -> None:
    (outputs / "shop").mkdir(parents=True)
    task_id = submit(alice, output_dir="outputs/shop").json()["task_id"]
    (outputs / "shop").rmdir()
    (outputs / "shop").symlink_to(tmp_path)

    held_worker()

    body = task(alice, task_id)
    assert (body["status"], body["code"]) == ("failed", "permission_denied")
    assert list(tmp_path.iterdir()) == []
