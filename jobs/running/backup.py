"""Backups of the site: write and verify a backup, and restore it on another site.

A backup contains the database, and the stored files or a list of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from jobs.audit.verification import audit_verify
from jobs.models import Artifact, AuditHead, Upload
from mattingsite import __version__
from mattingsite.data_folder import FILE_MODE, FOLDER_MODE

_MANIFEST, _FILES, _SECRET = "manifest.json", "files.jsonl", "secret_key"
_CHUNK_BYTES = 2**20


class BackupFailed(Exception):
    """Raised when a backup cannot be written or restored. The message gives the reason in one line."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The contents of a backup.

    files: the number of files in the list of the backup.
    missing: the number of files that have a row in the database but are not in the storage.
    audit_number: the number of the newest audit entry.
    """

    folder: Path
    files: int
    missing: int
    audit_number: int


def backup_create(*, parent: Path, with_files: bool) -> Summary:
    """Write a backup into a new folder inside `parent`, verify it and return its summary.

    The site may run during the backup.

    with_files: whether to copy the stored files. If False, the backup contains only a list of the files with their
        sizes and checksums. False is for a storage that has its own backup.

    Raise BackupFailed if the backup cannot be written or is not valid.
    """
    folder = parent / f"keyline-{timezone.now():%Y%m%d-%H%M%S}"
    folder.mkdir(mode=FOLDER_MODE, parents=True)
    database = _dump(folder)
    head = AuditHead.objects.filter(pk=AuditHead.PK).first() or AuditHead()
    files, missing = _write_files(folder, with_files=with_files)
    secret = Path(settings.DATA_DIR) / _SECRET
    if secret.is_file():
        _private_copy(secret, folder / _SECRET)
    manifest = {
        "keyline": __version__,
        "created_at": timezone.now().isoformat(),
        "vendor": connection.vendor,
        "database": {"name": database.name, "sha256": _sha256(database)},
        "files": {"count": files, "copied": with_files, "sha256": _sha256(folder / _FILES)},
        "audit": {"number": head.number, "hash": head.hash},
        "rows": {model._meta.label: model._base_manager.count() for model in apps.get_app_config("jobs").get_models()},
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    backup_check(folder=folder)
    return Summary(folder, files, missing, head.number)


def backup_check(*, folder: Path) -> dict[str, Any]:
    """Return the manifest (the description) of a backup, after verifying the backup.

    Raise BackupFailed if the backup is missing, incomplete or changed.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text())
    except (OSError, ValueError):
        raise BackupFailed(f"{folder} contains no complete backup: {_MANIFEST} is missing or damaged") from None
    database = folder / manifest["database"]["name"]
    for path, expected in ((database, manifest["database"]["sha256"]), (folder / _FILES, manifest["files"]["sha256"])):
        if not path.is_file() or _sha256(path) != expected:
            raise BackupFailed(f"{path} is missing or was changed")
    if manifest["vendor"] == "sqlite":
        _check_sqlite(database)
    else:
        _run(["pg_restore", "--list", str(database)])
    return manifest


def backup_restore(*, folder: Path, replace: bool) -> Summary:
    """Restore a backup into this site's database and storage, verify the result, and return a summary.

    The site must be stopped.

    folder: the folder of the backup.
    replace: whether to overwrite a database that has users.

    Raise BackupFailed if the backup is damaged, if it comes from another kind of database, if the restored audit trail
    differs from the backup, or if the database has users and `replace` is False.
    """
    manifest = backup_check(folder=folder)
    if manifest["vendor"] != connection.vendor:
        raise BackupFailed(f"this is a backup of {manifest['vendor']}, and DATABASE_URL names {connection.vendor}")
    if _has_users() and not replace:
        raise BackupFailed("the database of this site has users; --replace overwrites it")
    _load(folder / manifest["database"]["name"])
    call_command("migrate", verbosity=0, interactive=False)
    verdict = audit_verify()
    expected = (manifest["audit"]["number"], manifest["audit"]["hash"])
    if verdict.problems or (expected[0] and (verdict.last_number, verdict.last_hash) != expected):
        raise BackupFailed("the restored audit trail is not the one of the backup: " + "; ".join(verdict.problems[:3]))
    files, missing = 0, 0
    for entry in _listed(folder):
        files += 1
        missing += not _restored(folder, entry)
    return Summary(folder, files, missing, verdict.last_number)


def _dump(folder: Path) -> Path:
    if connection.vendor == "sqlite":
        target = folder / "database.sqlite3"
        connection.ensure_connection()
        with sqlite3.connect(target) as copy:
            connection.connection.backup(copy)
        copy.close()
    else:
        target = folder / "database.dump"
        _run(["pg_dump", "--format=custom", "--no-owner", f"--file={target}"])
    target.chmod(FILE_MODE)
    return target


def _load(dump: Path) -> None:
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        connections.close_all()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        _private_copy(dump, path)
    else:
        connections.close_all()
        _run(["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname", "", str(dump)])


def _run(command: list[str]) -> None:
    """Run a PostgreSQL program on this site's database.

    Raise BackupFailed if the program is not installed. If the program fails, raise BackupFailed with the first line of
    its error output.
    """
    values = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = os.environ | {name: str(values[key]) for name, key in names.items() if values.get(key)}
    command = [part or str(values["NAME"]) for part in command]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BackupFailed(f"{command[0]} is not installed; it comes with PostgreSQL's client programs") from None
    if done.returncode:
        raise BackupFailed(f"{command[0]}: {(done.stderr.splitlines() or ['failed'])[0]}")


def _write_files(folder: Path, *, with_files: bool) -> tuple[int, int]:
    """Write the list of stored files. If `with_files` is True, also copy the files.

    Return the numbers of listed and missing files.
    """
    count = missing = 0
    with (folder / _FILES).open("w") as listed:
        for key, size, sha256 in _stored_files():
            count += 1
            listed.write(json.dumps({"key": key, "bytes": size, "sha256": sha256}) + "\n")
            if with_files:
                missing += not _copied(key, folder / "files" / key)
            else:
                missing += not default_storage.exists(key)
    return count, missing


def _stored_files() -> Iterator[tuple[str, int, str]]:
    artifacts = Artifact.objects.order_by("pk").values_list("key", "bytes", "sha256")
    uploads = ((key, size, "") for key, size in Upload.objects.order_by("pk").values_list("key", "bytes"))
    return chain(artifacts.iterator(), uploads)


def _copied(key: str, target: Path) -> bool:
    target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    try:
        with default_storage.open(key) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, _CHUNK_BYTES)
    except OSError:
        return False
    return True


def _restored(folder: Path, entry: dict[str, Any]) -> bool:
    """Copy a listed file from the backup into the storage if the storage does not have the file.

    Return whether the storage now has the file with the listed size. Return False if the copy in the backup is damaged.
    """
    copy = folder / "files" / entry["key"]
    if copy.is_file():
        if entry["sha256"] and _sha256(copy) != entry["sha256"]:
            return False
        if not default_storage.exists(entry["key"]):
            with copy.open("rb") as file:
                default_storage.save(entry["key"], File(file))
    return default_storage.exists(entry["key"]) and default_storage.size(entry["key"]) == entry["bytes"]


def _listed(folder: Path) -> Iterator[dict[str, Any]]:
    with (folder / _FILES).open() as lines:
        for line in lines:
            yield json.loads(line)


def _has_users() -> bool:
    table = get_user_model()._meta.db_table
    return table in connection.introspection.table_names() and get_user_model().objects.exists()


def _check_sqlite(path: Path) -> None:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
    database.close()
    if verdict != "ok":
        raise BackupFailed(f"{path} is damaged: {verdict}")


def _private_copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(FILE_MODE)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
