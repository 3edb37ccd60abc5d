"""Tests that the embedded Valkey server keeps its data."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from jobs.running import broker


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a temporary folder with a short path, because the path of a socket has a limit of about 108 characters."""
    path = Path(tempfile.mkdtemp(prefix="keyline-broker-"))
    yield path
    shutil.rmtree(path)


def test_what_was_queued_survives_a_killed_server(folder: Path) -> None:
    socket = folder / "broker.sock"
    url = f"unix://{socket}"

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(broker.command(socket=socket, folder=folder / "data"))
        broker.wait_until_ready(url, timeout_s=20)
        return process

    process = start()
    Redis.from_url(url).rpush("queue", "picture")
    process.kill()
    process.wait()
    process = start()
    found = Redis.from_url(url).lrange("queue", 0, -1)
    process.kill()
    process.wait()

    assert found == [b"picture"]


def test_the_server_listens_on_no_port_and_its_socket_is_private(folder: Path) -> None:
    socket = folder / "broker.sock"
    process = subprocess.Popen(broker.command(socket=socket, folder=folder / "data"))
    broker.wait_until_ready(f"unix://{socket}", timeout_s=20)
    port = Redis.from_url(f"unix://{socket}").config_get("port")["port"]
    mode = socket.stat().st_mode & 0o777
    process.kill()
    process.wait()

    assert port == "0"
    assert mode == 0o700


def test_a_server_that_never_answers_is_reported(folder: Path) -> None:
    with pytest.raises(broker.BrokerNotReady):
        broker.wait_until_ready(f"unix://{folder / 'missing.sock'}", timeout_s=0.05)
