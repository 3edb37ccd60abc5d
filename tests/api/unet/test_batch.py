"""`POST /api/matting/batch` and `GET /api/matting/task/{id}`: folders of the server, many files, one zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs import storage
from jobs.models import Artifact, Job, JobImage, Membership
from tests import photos
from tests.api.matching import assert_matches, fixture
from tests.cast import Person, make_person
from tests.fakes import FakeEngine

URL = "/api/matting/batch"
TASK = "/api/matting/task/"


@pytest.fixture
def small() -> bytes:
    return photos.encode(photos.astronaut()[:128, 180:308], "PNG")


@pytest.fixture
def inputs(settings, small: bytes) -> Path:
    """The operator's input folder, with two pictures and a text in it."""
    folder = Path(settings.MATTING_INPUT_ROOTS[0])
    folder.mkdir()
    (folder / "a.jpg").write_bytes(photos.encode(photos.astronaut()[:128, 180:308], "JPEG"))
    (folder / "b.png").write_bytes(small)
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden").write_text("left out")
    (folder / "deeper").mkdir()
    return folder


@pytest.fixture
def outputs(settings) -> Path:
    return Path(settings.MATTING_OUTPUT_ROOTS[0])


def submit(person: Person, **fields: Any):
    body = {"input_dir": "/root/inputs/", "output_dir": "/root/outputs/"} | fields
    return person.api().post(URL, body, content_type="application/json")


def task(person: Person, task_id: str) -> dict[str, Any]:
    return person.api().get(TASK + task_id).json()


def zipped(members: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return SimpleUploadedFile("pictures.zip", buffer.getvalue())


# A folder of the server -----------------------------------------------------------------------------------------------


def test_a_folder_is_answered_at_once_and_its_task_goes_through_the_guides_states(
    held_worker: Callable[[], None], alice: Person, inputs: Path
) -> None:
    answer = submit(alice, save_alpha=True)
    assert answer.status_code == 200
    assert_matches(answer.json(), fixture("unet/batch.json"))
    task_id = answer.json()["task_id"]
    assert_matches(task(alice, task_id), fixture("unet/task_submitted.json"))

    held_worker()

    assert_matches(task(alice, task_id), fixture("unet/task_completed.json"))


def test_running_counts_are_told_while_it_runs(held_worker: Callable[[], None], alice: Person, inputs: Path) -> None:
    task_id = submit(alice).json()["task_id"]
    from jobs import tasks

    for image in JobImage.objects.order_by("position")[:1]:
        tasks.image_process(str(image.id))

    body = task(alice, task_id)
    assert (body["status"], body["processed"], body["failed"]) == ("processing", 1, 0)
    assert "zip_path" not in body


def test_results_lie_in_the_output_folder_and_in_the_zip(
    instant_worker: FakeEngine, alice: Person, inputs: Path, outputs: Path
) -> None:
    task_id = submit(alice, save_alpha=True).json()["task_id"]

    moment = task_id.removeprefix("batch_")
    folder = outputs / task_id
    names = sorted(path.name for path in folder.iterdir())
    first = moment.replace("_", "")
    assert names[:2] == [f"outputs_{first}.png", f"outputs_{first}_alpha.png"]
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


def test_two_batches_in_one_second_get_different_ids(instant_worker: FakeEngine, alice: Person, inputs: Path) -> None:
    ids = [submit(alice).json()["task_id"] for _ in range(3)]

    assert len(set(ids)) == 3


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


# Uploads --------------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("field", ["zip", "images"])
def test_a_zip_is_taken_with_folders_inside_and_without_litter(
    instant_worker: FakeEngine, alice: Person, small: bytes, field: str
) -> None:
    file = zipped(
        {
            "shop/a.png": small,
            "shop/deeper/b.png": small,
            "shop/readme.txt": b"no picture",
            "shop/.DS_Store": b"x",
            "__MACOSX/shop/._a.png": b"x",
        }
    )

    body = task(alice, alice.api().post(URL, {field: file}).json()["task_id"])

    assert (body["processed"], body["failed"]) == (2, 1)
    assert [row["name"] for row in body["files"]] == ["a.png", "b.png", "readme.txt"]


def _encrypted(small: bytes) -> SimpleUploadedFile:
    data = bytearray(zipped({"a.png": small}).read())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    return SimpleUploadedFile("a.zip", bytes(data))


def _many(small: bytes) -> SimpleUploadedFile:
    return zipped({f"{number}.png": b"" for number in range(2000)})


BAD_ARCHIVES: dict[str, tuple[Callable[[bytes], SimpleUploadedFile], int]] = {
    "not a zip": (lambda small: SimpleUploadedFile("a.zip", b"no zip" * 50), 400),
    "cut short": (lambda small: SimpleUploadedFile("a.zip", zipped({"a.png": small}).read()[:300]), 400),
    "empty": (lambda small: zipped({}), 400),
    "folders only": (lambda small: zipped({"a/": b""}), 400),
    "way up": (lambda small: zipped({"../../etc/cron.d/a.png": small}), 400),
    "way up in another tongue": (lambda small: zipped({"..\\..\\a.png": small}), 400),
    "absolute": (lambda small: zipped({"/etc/a.png": small}), 400),
    "drive": (lambda small: zipped({"C:\\a.png": small}), 400),
    "too deep": (lambda small: zipped({"/".join("abcdefghi") + "/a.png": small}), 400),
    "encrypted": (_encrypted, 400),
    "too many": (_many, 400),
    "bomb": (lambda small: zipped({"a.png": b"\0" * 30_000_000}, compression=zipfile.ZIP_DEFLATED), 413),
    "too much in all": (lambda small: zipped({f"{n}.png": b"x" * 2_000_000 for n in range(3)}), 413),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_an_archive_that_means_harm_is_refused_as_a_whole(
    instant_worker: FakeEngine, alice: Person, small: bytes, settings, name: str
) -> None:
    settings.MATTING_MAX_ARCHIVE_BYTES = 5_000_000
    make, status = BAD_ARCHIVES[name]

    answer = alice.api().post(URL, {"zip": make(small)})

    assert answer.status_code == status, answer.json()
    assert_matches(answer.json(), fixture("unet/error.json"))
    assert not Job.objects.exists()
    assert not Artifact.objects.exists()


def test_a_member_that_lies_about_its_content_fails_by_itself(
    instant_worker: FakeEngine, alice: Person, small: bytes
) -> None:
    data = bytearray(zipped({"a.png": small, "b.png": small}).read())
    data[data.index(small) + len(small) // 2] ^= 0xFF  # the checksum of a.png is wrong now

    body = task(alice, alice.api().post(URL, {"zip": SimpleUploadedFile("a.zip", bytes(data))}).json()["task_id"])

    assert (body["processed"], body["failed"]) == (1, 1)
    assert body["files"][0]["error"] == "The file cannot be unpacked from the archive."


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


# Tasks ----------------------------------------------------------------------------------------------------------------


def test_charlie_and_guessers_find_no_task(
    instant_worker: FakeEngine, alice: Person, charlie: Person, small: bytes
) -> None:
    task_id = alice.api().post(URL, {"images": [SimpleUploadedFile("a.png", small)]}).json()["task_id"]

    for person, guess in ((charlie, task_id), (alice, "batch_19990101_000000"), (alice, "%00"), (alice, "a%0Ab")):
        answer = person.api().get(TASK + guess)
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


def test_a_cancelled_batch_ends_for_the_poller(held_worker: Callable[[], None], alice: Person, inputs: Path) -> None:
    task_id = submit(alice).json()["task_id"]
    alice.api().post(f"/api/jobs/{Job.objects.get().id}/cancel")

    body = task(alice, task_id)

    assert (body["status"], body["error"], body["code"]) == ("failed", "The task was cancelled.", "canceled")


def test_the_estimate_grows_with_the_measured_time_and_the_queue(
    held_worker: Callable[[], None], alice: Person, small: bytes
) -> None:
    def submitted(count: int) -> int:
        files = [SimpleUploadedFile(f"{number}.png", small) for number in range(count)]
        return alice.api().post(URL, {"images": files}).json()["estimated_time_sec"]

    assert submitted(2) == 2  # the first guess: one second a picture
    held_worker()
    JobImage.objects.update(timings_ms={"total": 4000})

    assert submitted(3) == 12
    assert submitted(1) == 16
