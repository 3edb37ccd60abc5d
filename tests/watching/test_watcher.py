"""Tests that no picture in a watched folder is lost or processed twice, even after a crash at any step."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import os
import time
from pathlib import Path

import pytest

from jobs.models import Job, JobImage, Status, UsageEntry
from jobs.recipes.selectors import recipe_get
from jobs.watching.places import Place
from jobs.watching.watcher import Watch, Watcher
from jobs.work import tasks
from segmentation.errors import InvalidParameter
from segmentation.options import CutoutOptions
from tests.cast import Person
from tests.fakes import FakeEngine, answering
from tests.photos import encoded
from tests.quota.actions import set_quota

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """A BaseException that simulates SIGKILL; handlers of Exception do not catch it."""


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEngine()
    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(fake))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def drop(inbox: Path, name: str, data: bytes | None = None, *, age_s: float = 60) -> None:
    path = inbox / name
    path.write_bytes(encoded("JPEG", quality=60) if data is None else data)
    os.utime(path, (time.time() - age_s,) * 2)


def watcher_of(person: Person, inbox: Path, recipe: str | None = None, **changes: object) -> Watcher:
    out = Place(str(inbox.parent / "out"))
    out.require(create=True)
    named = recipe_get(person.actor, recipe) if recipe else None
    values = {"source": Place(str(inbox)), "output": out, "actor": person.actor, "options": CutoutOptions()}
    return Watcher(Watch(**values, recipe=named, **changes))


def work() -> None:
    """Process all queued pictures, as workers do."""
    for pk in list(JobImage.objects.filter(status=Status.QUEUED).values_list("pk", flat=True)):
        tasks.image_process(str(pk))


def run_dry(watcher: Watcher) -> None:
    """Run the watcher and the workers in turn until no picture is waiting or in progress."""
    for _ in range(20):
        submitted = watcher.step()
        work()
        if not submitted and not watcher._flights:
            return
    raise AssertionError("the watcher does not come to an end")


def outputs(inbox: Path) -> set[str]:
    return {path.name for path in (inbox.parent / "out").iterdir() if path.suffix in (".png", ".jpg")}


def rows(inbox: Path) -> list[dict[str, object]]:
    text = (inbox.parent / "out" / "manifest.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_picture_becomes_its_finished_file_a_row_and_a_charge(alice: Person, inbox: Path) -> None:
    drop(inbox, "bag.jpg")

    run_dry(watcher_of(alice, inbox, "taobao-white"))

    assert outputs(inbox) == {"bag-taobao-white-1.jpg"}
    assert (inbox / "done" / "bag.jpg").exists()
    (row,) = rows(inbox)
    assert (row["source"], row["status"], row["recipe"], row["recipe_version"]) == (
        "bag.jpg",
        "done",
        "taobao-white",
        1,
    )
    assert UsageEntry.objects.count() == 1
    with (inbox.parent / "out" / "manifest.csv").open() as file:
        assert [entry["outputs"] for entry in csv.DictReader(file)] == ["bag-taobao-white-1.jpg"]


def test_a_file_that_is_still_changing_waits(alice: Person, inbox: Path) -> None:
    drop(inbox, "bag.jpg", age_s=0)
    watcher = watcher_of(alice, inbox)

    assert watcher.step() == 0
    os.utime(inbox / "bag.jpg", (time.time() - 60,) * 2)
    assert watcher.step() == 1


def test_what_is_no_picture_fails_alone_with_a_reason_beside_it(alice: Person, inbox: Path) -> None:
    drop(inbox, "notes.jpg", b"not a picture at all")
    drop(inbox, "bag.jpg")

    run_dry(watcher_of(alice, inbox))

    assert (inbox / "done" / "bag.jpg").exists()
    assert (inbox / "failed" / "notes.jpg").exists()
    assert (inbox / "failed" / "notes.jpg.txt").read_text().strip()
    assert {row["status"] for row in rows(inbox)} == {"done", "failed"}
    assert UsageEntry.objects.count() == 1


def test_litter_is_left_where_it_is(alice: Person, inbox: Path) -> None:
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "~$bag.docx"):
        drop(inbox, name, b"x")

    assert watcher_of(alice, inbox).step() == 0


def test_two_pictures_of_one_stem_keep_a_result_each(alice: Person, inbox: Path) -> None:
    drop(inbox, "bag.jpg")
    drop(inbox, "bag.png", encoded("PNG"))

    run_dry(watcher_of(alice, inbox))

    assert len(outputs(inbox)) == 2


def test_a_used_up_quota_leaves_the_pictures_where_they_are(alice: Person, inbox: Path) -> None:
    set_quota(alice, images_per_day=1)
    for name in ("a.jpg", "b.jpg"):
        drop(inbox, name)
    watcher = watcher_of(alice, inbox, at_once=1)

    for _ in range(4):
        watcher.step()
        work()

    assert len(list(inbox.glob("*.jpg"))) == 1
    assert not (inbox / "failed").exists()


def test_a_folder_is_watched_by_one_process_at_a_time(inbox: Path) -> None:
    held = Place(str(inbox)).lock()

    with pytest.raises(InvalidParameter, match="another process"):
        Place(str(inbox)).lock()
    held.close()


def test_no_more_pictures_are_under_way_than_allowed_however_many_wait(alice: Person, inbox: Path) -> None:
    for number in range(30):
        drop(inbox, f"{number}.jpg")
    watcher = watcher_of(alice, inbox, at_once=4)

    watcher.step()

    assert Job.objects.count() == 4


@pytest.mark.parametrize("step", range(1, 13))
@pytest.mark.slow
def test_a_kill_between_any_two_steps_loses_and_repeats_nothing(
    step: int, alice: Person, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(inbox, "a.jpg")
    drop(inbox, "b.jpg", b"no picture")
    left = [step]

    def killing(method):
        def call(place: Place, *args: object) -> object:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return method(place, *args)

        return call

    with monkeypatch.context() as patch:
        for name in ("read", "write", "append", "move"):
            patch.setattr(Place, name, killing(getattr(Place, name)))
        with contextlib.suppress(Killed):
            run_dry(watcher_of(alice, inbox))
    run_dry(watcher_of(alice, inbox))

    assert outputs(inbox) == {"a.png"}
    assert sorted(path.name for path in (inbox / "done").iterdir()) == ["a.jpg"]
    assert sorted(path.name for path in (inbox / "failed").iterdir()) == ["b.jpg", "b.jpg.txt"]
    assert sorted(row["source"] for row in rows(inbox)) == ["a.jpg", "b.jpg"]
    assert Job.objects.count() == 1
    assert UsageEntry.objects.count() == 1


def test_a_torn_row_is_removed_before_the_next_one(alice: Person, inbox: Path) -> None:
    out = inbox.parent / "out"
    out.mkdir()
    (out / "manifest.csv").write_text("job,source\n1,old.jpg\n2,to")
    (out / "manifest.jsonl").write_text('{"job": "1"}\n{"job": "2", "so')
    drop(inbox, "bag.jpg")

    run_dry(watcher_of(alice, inbox))

    assert [row["job"] for row in rows(inbox)][:1] == ["1"]
    assert len(rows(inbox)) == 2
    assert "2,to\n" not in (out / "manifest.csv").read_text()


@pytest.mark.parametrize("first", [None, b"not a picture at all"])
def test_a_file_overwritten_during_its_job_is_processed_again(
    first: bytes | None, alice: Person, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = encoded("JPEG", quality=85)
    drop(inbox, "bag.jpg", first)
    watcher = watcher_of(alice, inbox)
    if first is None:
        watcher.step()
        work()
        drop(inbox, "bag.jpg", newer, age_s=30)
    else:  # the refusal follows at once, so the file changes just before its row is written
        add = watcher._manifest.add

        def changing(row: object) -> None:
            monkeypatch.setattr(watcher._manifest, "add", add)
            drop(inbox, "bag.jpg", newer, age_s=30)
            add(row)

        monkeypatch.setattr(watcher._manifest, "add", changing)
    run_dry(watcher)

    assert (inbox / "done" / "bag.jpg").read_bytes() == newer
    assert [row["status"] for row in rows(inbox)] == ["done" if first is None else "failed", "done"]
    assert not (inbox / "failed").exists()


def test_sources_of_one_name_are_numbered_and_keep_their_reasons(alice: Person, inbox: Path) -> None:
    pictures = [encoded("JPEG", quality=quality) for quality in (60, 85)]
    broken = [b"no picture", b"neither a picture"]
    watcher = watcher_of(alice, inbox)
    for number in range(2):
        drop(inbox, "bag.jpg", pictures[number], age_s=60 - number)
        drop(inbox, "notes.jpg", broken[number], age_s=60 - number)
        run_dry(watcher)

    assert [(inbox / "done" / name).read_bytes() for name in ("bag.jpg", "bag-2.jpg")] == pictures
    assert [(inbox / "failed" / name).read_bytes() for name in ("notes.jpg", "notes-2.jpg")] == broken
    assert (inbox / "failed" / "notes-2.jpg.txt").exists()


def test_a_watcher_that_was_stopped_for_two_days_charges_no_picture_again(alice: Person, inbox: Path) -> None:
    drop(inbox, "bag.jpg")
    watcher_of(alice, inbox).step()
    work()
    job = Job.objects.get()
    Job.objects.update(created_at=job.created_at - dt.timedelta(days=2))

    run_dry(watcher_of(alice, inbox))

    assert [found.pk for found in Job.objects.all()] == [job.pk]
    assert (inbox / "done" / "bag.jpg").exists()
    assert UsageEntry.objects.count() == 1
