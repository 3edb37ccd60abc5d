"""Tests of `GET /api/matting/task/{id}`: states, counts, the estimated time, and the status 404 for other teams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile

from jobs.models import Job, JobImage
from jobs.work import tasks
from tests.api.matching import assert_matches, fixture
from tests.api.unet.batch.caller import TASK, URL, submit, task
from tests.cast import Person
from tests.fakes import FakeEngine


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
    for image in JobImage.objects.order_by("position")[:1]:
        tasks.image_process(str(image.id))

    body = task(alice, task_id)
    assert (body["status"], body["processed"], body["failed"]) == ("processing", 1, 0)
    assert "zip_path" not in body


def test_two_batches_in_one_second_get_different_ids(instant_worker: FakeEngine, alice: Person, inputs: Path) -> None:
    ids = [submit(alice).json()["task_id"] for _ in range(3)]

    assert len(set(ids)) == 3


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
