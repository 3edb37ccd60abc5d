"""The client package against a running site."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from keyline import AsyncKeyline, Keyline, KeylineError
from keyline.command import main
from PIL import Image

from tests import loops
from tests.stack import Stack

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
