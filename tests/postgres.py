"""A function that starts a PostgreSQL server in a temporary folder, for tests that must also pass on this database."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import free_port

_HOW_TO_INSTALL = (
    "There is no PostgreSQL server on this machine, so nothing was proved on it. Install one and run this again: "
    "`apt-get install postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora), "
    "`brew install postgresql` (macOS)."
)
_MAX_CONNECTIONS = 260


def _server_binaries() -> Path | None:
    """Return the folder with the programs of the newest installed PostgreSQL server; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path and shutil.which("initdb") else None


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Start a PostgreSQL server on a free local port and yield its DATABASE_URL; delete the server at the end.

    Skip the test if PostgreSQL is not installed.
    """
    binaries = _server_binaries()
    if binaries is None:
        pytest.skip(_HOW_TO_INSTALL)
    folder = Path(tempfile.mkdtemp(prefix="keyline-pg-"))
    # The server refuses to run as root; the packages create a user for it.
    user = "postgres" if os.getuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    try:
        _run([binaries / "initdb", "--no-sync", "--auth=trust", "--username=keyline", "-D", folder / "data"], user)
        port = free_port()
        options = (
            f"-k {folder} -c listen_addresses=127.0.0.1 -p {port} -c max_connections={_MAX_CONNECTIONS} -c fsync=off"
        )
        start = [binaries / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start"]
        _run(start, user)
        try:
            yield f"postgres://keyline@127.0.0.1:{port}/postgres"
        finally:
            _run([binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[object], user: str | None) -> None:
    words = [str(word) for word in command]
    # The server inherits the descriptors of pg_ctl, so it must not hold a pipe of this process open.
    done = subprocess.run(words, user=user, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}")
