"""Preparation of the data folder, the database, the static files and the first account.

Each step may be repeated; a repeated step does no harm.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction

from jobs.models import Scope
from jobs.running.readiness import storage_problem
from jobs.teams.keys import key_create
from jobs.teams.teams import team_create
from mattingsite.data_folder import FILE_MODE, FOLDER_MODE, GROUP_PASSES_MODE

logger = logging.getLogger(__name__)

ADMIN_NAME = "admin"
TEAM_NAME = "First team"
_LOCK_WAIT_S = 30.0
_LOCK_TIMEOUT_MS = 200  # well below PostgreSQL's deadlock_timeout of 1 s, so that a migration fails and not a request


class CannotStart(Exception):
    """Raised when the site cannot start. The message is one line: the reason and how to correct it."""


@dataclass(frozen=True, slots=True)
class FirstSecrets:
    """The secrets that were generated at the first start.

    The site stores only the hashes of the password and of the key, so both can be shown only once.
    """

    user_name: str
    password: str
    team_name: str
    key_public_id: str
    key_secret: str


def folder_require(folder: Path) -> None:
    """Create the data folder with access for its owner only; raise CannotStart if it is not writable.

    If MATTING_MEDIA_GROUP_READABLE is set, the group of the folder may open the pictures below the folder, but may not
    list the folder.
    """
    mode = GROUP_PASSES_MODE if settings.MEDIA_GROUP_READABLE else FOLDER_MODE
    trial = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        folder.chmod(mode)
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise CannotStart(
            f"the data folder {folder} cannot be written ({error.strerror}); set MATTING_DATA_DIR to a writable one"
        ) from None


def folder_lock(folder: Path) -> IO[str]:
    """Lock the data folder for this run of the site, and return the lock file.

    The lock is held as long as a process keeps the returned file open. If the process that took the lock has ended,
    wait up to 30 seconds for its remaining child processes to end. Raise CannotStart if another run holds the lock.
    """
    file = (folder / "run.lock").open("a+")
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip()
            if _is_alive(owner) or time.monotonic() > deadline:
                raise CannotStart(
                    f"the data folder {folder} is in use by another running Keyline (process {owner})"
                ) from None
            time.sleep(0.1)
        else:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            return file


def storage_require() -> None:
    """Raise CannotStart if files cannot be stored, for example because the bucket is missing or the disk is full."""
    problem = storage_problem()
    if problem is None:
        return
    if settings.S3_BUCKET:
        raise CannotStart(f"MATTING_S3_BUCKET={settings.S3_BUCKET}: {problem}")
    raise CannotStart(f"MATTING_MEDIA_DIR={settings.MEDIA_ROOT}: {problem}")


def port_require(host: str, port: int) -> None:
    """Raise CannotStart if the web server cannot listen on this port of this host."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise CannotStart(f"port {port} on {host} {reason}; choose another one with PORT=8001") from None


def metrics_reset() -> None:
    """Delete the request counters that processes of an earlier run have left on this host."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def database_wait(*, timeout_s: float) -> None:
    """Wait until the database accepts connections.

    Raise CannotStart if it does not accept a connection within `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.ensure_connection()
            return
        except DatabaseError as error:
            if time.monotonic() >= deadline:
                raise CannotStart(f"the database cannot be used: {str(error).splitlines()[0]}") from error
            time.sleep(0.5)


def database_migrate(*, timeout_s: float = 600.0) -> None:
    """Apply the migrations; raise CannotStart if the database cannot be used.

    On PostgreSQL the site may run during the migrations. A migration that does not get its locks within a short time
    fails and is retried until `timeout_s` seconds have passed. If a migration waited longer for a lock, it would block
    later requests, or cause a deadlock that makes a request fail.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            _database_file_protect()
            with _locks_given_up():
                call_command("migrate", verbosity=0, interactive=False)
            return
        except (DatabaseError, OSError) as error:
            if _is_lock_conflict(error) and time.monotonic() < deadline:
                logger.warning("a migration waits for transactions of the running site and is repeated")
                time.sleep(2.0)
                continue
            raise CannotStart(f"the database cannot be used: {str(error).splitlines()[0]}") from error


@contextmanager
def _locks_given_up() -> Iterator[None]:
    """Inside this block, a PostgreSQL statement fails if it waits for a lock longer than _LOCK_TIMEOUT_MS.

    So the statement fails before PostgreSQL searches for deadlocks. On other databases the block changes nothing.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT_MS}ms'")
    try:
        yield
    finally:
        # Closing the connection also resets the setting. Its wrapper is replaced too: if the last statements of a
        # migration fail, Django leaves the wrapper inside the migration's transaction, where it opens no new
        # connection.
        connection.close()
        del connections[DEFAULT_DB_ALIAS]


def _is_lock_conflict(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", "") in ("40P01", "55P03")  # deadlock detected; lock not available


def static_files_collect() -> bool:
    """Collect the static files if they have changed since the last call. Return whether they were collected.

    Raise CannotStart if a static file refers to a missing file.
    """
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    digest = _static_files_digest()
    if stamp.is_file() and stamp.read_text() == digest:
        return False
    try:
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    except ValueError as error:
        raise CannotStart(f"the static files are not complete: {' '.join(str(error).split())}") from None
    stamp.write_text(digest)
    return True


def first_account_create() -> FirstSecrets | None:
    """Create an administrator, a team and an API key with all scopes, and return their secrets.

    Return None and create nothing if a user exists.
    """
    users = get_user_model().objects
    with transaction.atomic():
        if users.exists():
            return None
        password = secrets.token_urlsafe(12)
        admin = users.create_superuser(ADMIN_NAME, password=password)
        team = team_create(name=TEAM_NAME, owner=admin)
        key, secret = key_create(team=team, name="First key", scopes=tuple(Scope.values), created_by=admin)
    return FirstSecrets(ADMIN_NAME, password, team.name, key.public_id, secret)


def _database_file_protect() -> None:
    """Make an SQLite file readable only by its owner. SQLite creates its other files with the same mode."""
    database: dict[str, Any] = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        path = Path(database["NAME"])
        path.touch(mode=FILE_MODE)
        path.chmod(FILE_MODE)


def _static_files_digest() -> str:
    """Return a hash of the names, sizes and times of all static files, including those of packages."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = os.stat(storage.path(path))
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _is_alive(owner: str) -> bool:
    if not owner.isdecimal():
        return False
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
