"""Tests with a full disk: a failed write leaves no partial file, and jobs can still be deleted."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings as site
from django.core.files.base import File
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from pytest_django import Settings

from jobs.errors import StorageFailed
from jobs.models import Job, UsageEntry
from jobs.results import reserve, storage
from jobs.results.reserve import RESERVE_BYTES, reserve_keep
from jobs.work import retention
from jobs.work.retention import job_purge
from tests.cast import Person
from tests.quota.actions import submit_file

pytestmark = pytest.mark.django_db


def stored() -> list[Path]:
    return list(Path(site.MEDIA_ROOT).rglob("*"))


def set_free_bytes(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))


def test_a_file_that_the_disk_cannot_hold_is_left_neither_half_nor_as_a_folder() -> None:
    class Filling(File):
        """Content of a file that raises a disk-full error while it is written."""

        size = 200_000

        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"x" * 100_000
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StorageFailed):
        storage._saved("teams/t/j/0000/source.jpg", Filling(None, "source.jpg"))

    assert [path for path in stored() if path.is_file()] == []
    assert not (Path(site.MEDIA_ROOT) / "teams/t/j").exists()


def test_a_file_that_fails_leaves_the_one_before_it_whole() -> None:
    class Broken(File):
        size = 4

        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"ne"
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    storage.store("outputs/a.png", b"old")

    with pytest.raises(StorageFailed):
        storage._saved("outputs/a.png", Broken(None, "a.png"))

    assert storage.read("outputs/a.png") == b"old"


def test_a_submission_that_would_take_the_reserve_is_refused_without_a_charge(
    alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_free_bytes(monkeypatch, site.MATTING_DISK_RESERVE_BYTES + 100)

    answer = alice.api().post("/api/jobs/", {"image": SimpleUploadedFile("a.jpg", jpeg_bytes)})

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")
    assert answer["Retry-After"]
    assert not UsageEntry.objects.exists()
    assert [path for path in stored() if path.is_file()] == []


def test_a_deletion_releases_the_reserve_when_the_database_has_no_space(
    alice: Person, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    reserve_keep()
    assert (tmp_path / "reserve").stat().st_size == RESERVE_BYTES
    job = submit_file(alice)
    purge = retention._purge

    def purge_on_full_disk(*args: object) -> bool:
        if (tmp_path / "reserve").exists():
            raise OperationalError("database or disk is full")
        return purge(*args)

    monkeypatch.setattr(retention, "_purge", purge_on_full_disk)

    assert job_purge(actor=alice.actor, jobs=[job]) == 1

    assert not Job.objects.exists()


def test_the_reserve_is_not_written_while_the_disk_is_nearly_full(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    set_free_bytes(monkeypatch, 2 * RESERVE_BYTES)

    reserve.reserve_keep()

    assert not (tmp_path / "reserve").exists()
