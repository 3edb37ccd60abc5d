"""Tests of the vendor's example clients on a site with an open network, whose IP addresses need no key.

The clients read the results from the disk.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.api.unet.guide_client import GuideClient
from tests.stack import Stack, running_stack, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
GUIDE_URL = "http://localhost:8080"  # the URL in the guide's scripts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guide")


@pytest.fixture(scope="module")
def opened_site(folder: Path) -> Iterator[Stack]:
    changes = {
        "PORT": "8080",
        "MATTING_OPEN_TO": "127.0.0.1/32=First team",
        "MATTING_INPUT_ROOTS": str(folder / "inputs"),
        "MATTING_OUTPUT_ROOTS": str(folder / "outputs"),
    }
    with contextlib.closing(socket.socket()) as probe:
        if probe.connect_ex(("127.0.0.1", 8080)) == 0:
            pytest.skip("another program has the port 8080")
    (folder / "inputs").mkdir()
    with running_stack(folder / "site", **changes) as stack:
        yield stack


def on_disk(folder: Path, path: str) -> Path:
    """Return the local path of a result file.

    folder: the local folder that is mounted as /root in the container. path: the file's path in the container, as the
    response contains it.
    """
    return folder / "outputs" / Path(path).relative_to("/root/outputs")


def test_the_guides_three_functions(opened_site: Stack, folder: Path, jpeg_bytes: bytes) -> None:
    client = GuideClient(GUIDE_URL, "")
    photo = folder / "inputs" / "photo.jpg"
    photo.write_bytes(jpeg_bytes)

    shown = requests.get(f"{GUIDE_URL}/health", timeout=30).json()["open_to"]
    single = client.single(photo)
    robust = client.single_with_patience(photo)
    batch = client.batch("/root/inputs/", "/root/outputs/")

    assert shown == ["127.0.0.1/32 acts for First team"]
    wait_for(
        lambda: f"OPEN: without a key, {shown[0]}" in "".join(opened_site.output),
        timeout_s=60,
        what="the start does not show the open network",
    )
    assert single is not None
    assert robust is not None
    for answer in (single, robust):
        assert Image.open(on_disk(folder, answer["result_path"])).mode == "RGBA"
    assert batch is not None
    assert (batch["status"], batch["processed"]) == ("completed", 1)
    assert on_disk(folder, batch["zip_path"]).exists()
    assert on_disk(folder, batch["output_dir"]).is_dir()
