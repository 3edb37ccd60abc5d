"""Tests of the client package with a running site."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from keyline import AsyncKeyline, Keyline, KeylineError
from keyline.command import main
from PIL import Image

from tests import loops
from tests.client.flaky import FlakyProxy, flaky_proxy
from tests.stack import ROOT, Stack, wait_for

pytestmark = pytest.mark.e2e


def test_cut_out_submit_wait_and_zip(live_stack: Stack, jpeg_bytes: bytes, tmp_path: Path) -> None:
    _, secret = live_stack.create_key(team="Studio")
    with Keyline(live_stack.base_url, key=secret) as client:
        picture = client.cut_out(jpeg_bytes, format="webp")
        job = client.wait(client.submit([jpeg_bytes, jpeg_bytes], outputs=["cutout", "mask"]))
        path = client.zip(job, tmp_path / "results.zip")
        cutout = client.download(job.images[0].file().url, tmp_path / "cutout.png")
        with pytest.raises(KeylineError) as raised:
            client.submit([jpeg_bytes], threshold=99)

    assert Image.open(io.BytesIO(picture.content)).format == "WEBP"
    assert job.status == "succeeded"
    assert len(zipfile.ZipFile(path).namelist()) == 4
    assert Image.open(cutout).mode == "RGBA"
    assert raised.value.field == "threshold"


def test_the_async_client_and_the_command(live_stack: Stack, jpeg_bytes: bytes, tmp_path: Path) -> None:
    _, secret = live_stack.create_key(team="Studio")
    (tmp_path / "in.jpg").write_bytes(jpeg_bytes)

    async def cut_out() -> bytes:
        async with AsyncKeyline(live_stack.base_url, key=secret) as client:
            return (await client.cut_out(tmp_path / "in.jpg")).content

    assert Image.open(io.BytesIO(loops.run(cut_out()))).mode == "RGBA"
    arguments = [
        "--url",
        live_stack.base_url,
        "--key",
        secret,
        "i",
        str(tmp_path / "in.jpg"),
        str(tmp_path / "out.png"),
    ]
    assert main([*arguments, "--mask"]) == 0
    assert Image.open(tmp_path / "out.png").mode == "L"


@pytest.fixture
def proxy(live_stack: Stack) -> Iterator[FlakyProxy]:
    with flaky_proxy(live_stack.port) as started:
        yield started


def no_pause(seconds: float) -> None:
    """Return immediately. This function replaces the pause before a retry."""


def test_a_submission_whose_response_is_lost_makes_one_job(
    live_stack: Stack, proxy: FlakyProxy, jpeg_bytes: bytes
) -> None:
    _, secret = live_stack.create_key(team="Losing connections")
    proxy.faults = ["busy", 0]
    with Keyline(proxy.url, key=secret, sleep=no_pause) as client:
        job = client.wait(client.submit([jpeg_bytes]))

    listed = live_stack.api(secret).get("/api/jobs/").json()
    assert (job.status, listed["count"], listed["results"][0]["id"]) == ("succeeded", 1, job.id)
    assert proxy.faults == []


def test_a_download_whose_connection_is_lost_goes_on(
    live_stack: Stack, proxy: FlakyProxy, jpeg_bytes: bytes, tmp_path: Path
) -> None:
    _, secret = live_stack.create_key(team="Losing connections")
    with Keyline(live_stack.base_url, key=secret) as client:
        url = client.submit([jpeg_bytes], wait_s=60).images[0].file().url
        whole = client.download(url, tmp_path / "whole.png").read_bytes()
    path = url.removeprefix(live_stack.base_url)

    async def no_pause_async(seconds: float) -> None:
        return None

    async def downloaded() -> bytes:
        async with AsyncKeyline(proxy.url, key=secret, sleep=no_pause_async) as client:
            return (await client.download(path, tmp_path / "async.png")).read_bytes()

    proxy.faults = [100_000, 50_000]
    with Keyline(proxy.url, key=secret, sleep=no_pause) as client:
        resumed = client.download(path, tmp_path / "resumed.png").read_bytes()
    proxy.faults = [100_000]

    assert len(whole) > 200_000
    assert resumed == whole
    assert loops.run(downloaded()) == whole


def test_the_command_watches_a_folder(live_stack: Stack, jpeg_bytes: bytes, tmp_path: Path) -> None:
    _, secret = live_stack.create_key(team="Watching")
    photos, results = tmp_path / "photos", tmp_path / "results"
    photos.mkdir()
    (photos / "first.jpg").write_bytes(jpeg_bytes)
    (photos / "broken.jpg").write_bytes(b"no picture")
    command = [sys.executable, "-m", "keyline.command", "--url", live_stack.base_url, "--key", secret, "p"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client")}

    with subprocess.Popen(
        [*command, str(photos), str(results), "--watch", "--format", "webp"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a background job of a shell ignores it
    ) as watching:
        try:
            wait_for((results / "first.webp").exists, timeout_s=120, what="the first picture was not cut out")
            (photos / "second.jpg").write_bytes(jpeg_bytes)
            wait_for((results / "second.webp").exists, timeout_s=120, what="the second picture was not noticed")
            watching.send_signal(signal.SIGINT)
            _, told = watching.communicate(timeout=60)
        finally:
            watching.kill()

    assert watching.returncode == 130
    assert Image.open(results / "second.webp").format == "WEBP"
    assert told.count("broken.jpg") == 1


def test_the_command_shows_progress_and_writes_a_zip(
    live_stack: Stack, jpeg_bytes: bytes, png_bytes: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = live_stack.create_key(team="Watching")
    (tmp_path / "a.jpg").write_bytes(jpeg_bytes)
    (tmp_path / "b.png").write_bytes(png_bytes)
    seen: list[tuple[float, float | None]] = []
    monkeypatch.setattr(
        "rich.progress.Progress.update", lambda bar, task, *, completed: seen.append((completed, bar.tasks[task].total))
    )

    status = main(
        ["--url", live_stack.base_url, "--key", secret, "zip", str(tmp_path), str(tmp_path / "out.zip"), "--crop"]
    )

    assert status == 0
    assert zipfile.ZipFile(tmp_path / "out.zip").namelist() == ["a.png", "b.png"]
    assert seen[-1] == (2, 2)
