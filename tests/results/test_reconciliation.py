"""Tests of `manage.py reconcile`, which finds files without database rows and rows without files."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from jobs.intake.sources import accept_bytes
from jobs.intake.uploads import upload_store
from jobs.models import Artifact, Upload
from jobs.results import storage
from jobs.results.deletions import files_delete
from tests.cast import Person
from tests.photos import encoded
from tests.quota.actions import claim, submit_file, succeed

pytestmark = pytest.mark.django_db(transaction=True)


def path_of(key: str) -> Path:
    return Path(settings.MEDIA_ROOT) / key


def orphan(key: str, *, age: dt.timedelta = dt.timedelta(hours=2)) -> Path:
    path = path_of(storage.store(key, b"x").key)
    moment_s = (timezone.now() - age).timestamp()
    os.utime(path, (moment_s, moment_s))
    return path


@pytest.fixture
def site(alice: Person) -> dict[str, Path]:
    """Create a correct result, a correct upload, and an example of each difference between files and database rows.

    Return a dict from names to the paths of the files that have no row.
    """
    succeed(claim(submit_file(alice).images.get()))
    upload_store(actor=alice.actor, source=accept_bytes(encoded("JPEG", quality=61)))
    lost_result = submit_file(alice).artifacts.get()
    lost_upload = upload_store(actor=alice.actor, source=accept_bytes(encoded("JPEG", quality=62)))
    for lost in (lost_result, lost_upload):
        path_of(lost.key).unlink()
    files_delete(keys=["teams/t/soon/"], after=dt.timedelta(hours=1))
    orphan("teams/t/soon/0000/source.jpg")
    orphan("outputs/of-somebody-else.png")
    return {
        "orphan": orphan("teams/t/j/0000/source.jpg"),
        "young": orphan("teams/t/j/0001/source.jpg", age=dt.timedelta(minutes=5)),
        "half": orphan("teams/t/j/0002/source.jpg.1234.part"),
    }


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    call_command("reconcile", *arguments)
    return capsys.readouterr().out.splitlines()


def test_without_apply_the_differences_are_listed_and_nothing_changes(
    site: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (Artifact.objects.count(), Upload.objects.count())

    lines = run(capsys)

    assert [line.partition(":")[0].split()[0] for line in lines] == ["file", "file", "row", "row", "4"]
    assert (Artifact.objects.count(), Upload.objects.count()) == before
    assert site["orphan"].exists()


def test_with_apply_both_sides_match_and_everything_else_stays(
    site: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    artifacts, uploads = Artifact.objects.count(), Upload.objects.count()

    assert run(capsys, "--apply")[-1] == "4 differences, deleted."

    assert (Artifact.objects.count(), Upload.objects.count()) == (artifacts - 1, uploads - 1)
    assert [path.exists() for path in site.values()] == [False, True, False]
    assert all(path_of(key).exists() for key in Artifact.objects.values_list("key", flat=True))
    assert path_of("outputs/of-somebody-else.png").exists()
    assert run(capsys) == ["0 differences."]
