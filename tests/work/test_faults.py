"""Tests of two kinds of faults: a fault of the machine (disk, memory, database) returns a picture to the queue.

A fault of the picture ends its processing.
"""

from __future__ import annotations

import datetime as dt
import errno
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import EndpointConnectionError
from django.db import OperationalError
from django.utils import timezone

from jobs.errors import StorageFailed
from jobs.inference.engines import Engines
from jobs.inference.escalation import Escalation
from jobs.inference.pool import Pool
from jobs.models import JobImage, Role, Status, Tier
from jobs.results import storage
from jobs.work import attempts, faults, queue, tasks
from jobs.work.faults import FAULT_DELAYS_S, WorkerUnfit, fitness
from jobs.work.outages import Outages
from jobs.work.recovery import images_recover
from segmentation.errors import ImageUnreadable
from tests.cast import Person
from tests.fakes import FakeEngine, answering
from tests.quota.actions import claim, ledger_sum, submit_file, succeed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sound_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(FakeEngine()))
    yield
    fitness.success()


def raising(error: Exception) -> Callable[..., None]:
    def fail(*args: object, **values: object) -> None:
        raise error

    return fail


def wait_an_hour() -> None:
    """Delay the next attempt of all pictures by one hour, which is longer than any test."""
    JobImage.objects.update(next_try_at=timezone.now() + dt.timedelta(hours=1))


def storage_refuses() -> Exception:
    error = StorageFailed()
    error.__cause__ = EndpointConnectionError(endpoint_url="https://bucket.example")
    return error


MACHINE_FAULTS = [
    pytest.param("jobs.results.storage.read", storage_refuses(), id="the bucket cannot be reached"),
    pytest.param("jobs.results.storage.store", OSError(errno.ENOSPC, "No space left on device"), id="the disk is full"),
    pytest.param("jobs.inference.engines.engine_for", WorkerUnfit("no weights"), id="the weights are missing"),
    pytest.param("jobs.work.tasks.cut_out", MemoryError(), id="the memory is full"),
    pytest.param("jobs.work.tasks.cut_out", type("OutOfMemoryError", (RuntimeError,), {})(), id="so is the card's"),
    pytest.param("jobs.work.tasks.image_succeed", OperationalError("database is locked"), id="the database is locked"),
]


@pytest.mark.parametrize(("place", "error"), MACHINE_FAULTS)
def test_a_fault_of_the_machine_returns_the_picture_and_holds_the_worker_back(
    alice: Person, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
) -> None:
    image = submit_file(alice).images.get()
    monkeypatch.setattr(place, raising(error))
    before = timezone.now()

    tasks.image_process(str(image.pk))

    image.refresh_from_db()
    assert (image.status, image.strikes, image.faults) == (Status.QUEUED, 0, 1)
    assert image.next_try_at >= before + dt.timedelta(seconds=FAULT_DELAYS_S[0])
    assert type(error).__name__ in image.fault or "EndpointConnectionError" in image.fault
    assert fitness.take_pause_s() > 0
    assert fitness.describe()["error"].startswith("Held back after 1 faults")


def test_a_worker_without_any_model_is_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(budget_bytes=1, idle_s=1, load=raising(FileNotFoundError("keyline-small.safetensors")))

    with pytest.raises(WorkerUnfit):
        Engines(pool, Escalation(above=1, max_share=0, max_s=0)).engine(Role.SUBJECT, Tier.FAST)


def test_the_picture_succeeds_with_its_next_try_and_costs_one(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    image = submit_file(alice).images.get()
    with monkeypatch.context() as patch:
        patch.setattr(storage, "read", raising(storage_refuses()))
        tasks.image_process(str(image.pk))
    wait_an_hour()
    tasks.image_process(str(image.pk))
    image.refresh_from_db()
    assert image.attempt == 1  # its retry is not due yet

    JobImage.objects.update(next_try_at=timezone.now())
    tasks.image_process(str(image.pk))

    image.refresh_from_db()
    assert image.status == Status.SUCCEEDED
    assert ledger_sum(alice) == 1
    assert fitness.describe() == {}


def test_the_sweep_sends_a_postponed_picture_when_it_is_due(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    image = submit_file(alice).images.get()
    monkeypatch.setattr(storage, "read", raising(storage_refuses()))
    tasks.image_process(str(image.pk))
    queue.connection().flushall()
    JobImage.objects.update(enqueued_at=timezone.now() - dt.timedelta(minutes=1))
    wait_an_hour()
    assert images_recover() == 0

    JobImage.objects.update(next_try_at=timezone.now())

    assert images_recover() == 1
    assert queue.waiting_image_ids() == {str(image.pk)}


def test_a_postponed_picture_is_sent_as_soon_as_its_time_has_come(alice: Person) -> None:
    image = submit_file(alice).images.get()
    queue.connection().flushall()
    JobImage.objects.update(enqueued_at=timezone.now() + dt.timedelta(hours=1), next_try_at=timezone.now())

    assert images_recover() == 1
    assert queue.waiting_image_ids() == {str(image.pk)}


def test_pictures_are_tried_at_once_when_the_storage_works_again(alice: Person) -> None:
    submit_file(alice)
    storage_works = [False, True]
    outages = Outages(lambda: storage_works.pop(0))
    JobImage.objects.update(faults=3)
    wait_an_hour()

    assert outages.look() == 0
    assert outages.look() == 1
    assert JobImage.objects.get().next_try_at <= timezone.now()


def test_a_fault_of_one_picture_keeps_its_delay_while_the_storage_works(alice: Person) -> None:
    submit_file(alice)
    outages = Outages()  # the real check, in this test's folder
    JobImage.objects.update(faults=3)
    wait_an_hour()

    assert outages.look() == 0
    assert outages.look() == 0
    assert JobImage.objects.get().next_try_at > timezone.now()


@pytest.mark.parametrize(
    ("error", "longest_s"), [(storage_refuses(), 3), (OperationalError("locked"), 3), (MemoryError(), 30)]
)
def test_a_worker_pauses_less_for_what_all_workers_share(error: Exception, longest_s: float) -> None:
    for _ in range(10):
        fitness.fault(error)

    assert fitness.take_pause_s() == longest_s


def test_after_the_last_delay_the_picture_fails_and_is_refunded(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    image = submit_file(alice).images.get()
    JobImage.objects.update(faults=len(FAULT_DELAYS_S))
    monkeypatch.setattr(storage, "read", raising(storage_refuses()))

    tasks.image_process(str(image.pk))

    image.refresh_from_db()
    assert (image.status, image.error_code) == (Status.FAILED, "storage_failed")
    assert ledger_sum(alice) == 0


def test_a_fault_of_the_picture_ends_it_at_once(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    image = submit_file(alice).images.get()
    monkeypatch.setattr(tasks, "cut_out", raising(ImageUnreadable()))

    tasks.image_process(str(image.pk))

    image.refresh_from_db()
    assert (image.status, image.error_code) == (Status.FAILED, "image_unreadable")
    assert fitness.describe() == {}


@pytest.mark.django_db(transaction=True)
def test_a_finished_cutout_waits_for_a_database_that_is_locked(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    image = claim(submit_file(alice).images.get())
    succeeds = attempts._succeed
    answers: list[Callable[..., bool]] = [raising(OperationalError("database is locked"))] * 2 + [succeeds]
    monkeypatch.setattr(attempts, "_succeed", lambda *args, **values: answers.pop(0)(*args, **values))
    paused: list[float] = []
    monkeypatch.setattr(faults.time, "sleep", paused.append)

    assert succeed(image)

    assert paused == [1, 2]
    assert JobImage.objects.get().status == Status.SUCCEEDED


def test_a_live_worker_that_could_not_renew_its_lease_costs_the_picture_no_strike(alice: Person) -> None:
    image = submit_file(alice).images.get()
    queue.beat("host-1", {"host": "host", "pid": 1})
    for _ in range(4):
        held = attempts.image_claim(image_id=str(image.pk), worker="host-1")
        assert held is not None
        JobImage.objects.update(leased_until=timezone.now() - dt.timedelta(seconds=1))
        images_recover()

    image.refresh_from_db()
    assert (image.status, image.strikes) == (Status.QUEUED, 0)
