"""Tests of the running site with public clients of remove.bg, unmodified except for the base URL."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import remove_bg_api as wrapper
from PIL import Image
from removebg import removebg as client

from tests.stack import ROOT, Stack

pytestmark = pytest.mark.e2e
NODE_CLIENT = ROOT / "node_modules" / "remove.bg" / "dist" / "index.js"
SCRIPT = """
const remove = require(process.argv[2]);
const options = {path: process.argv[3], apiKey: process.argv[4], size: "full", crop: true};
remove.removeBackgroundFromImageFile(options).then(
  (result) => console.log(JSON.stringify(result)), (error) => { console.error(error); process.exit(1); });
"""


@pytest.fixture
def photo(tmp_path: Path, jpeg_bytes: bytes) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg_bytes)
    return path


def test_the_pypi_client_removebg(live_stack: Stack, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "API_ENDPOINT", f"{live_stack.base_url}/v1.0/removebg")
    _, secret = live_stack.create_key(team="Studio")
    log = photo.with_name("error.log")

    client.RemoveBg(secret, str(log)).remove_background_from_img_file(str(photo), size="regular")

    result = Image.open(f"{photo}_no_bg.png")
    assert (result.mode, result.size) == ("RGBA", (500, 500))


def test_the_pypi_client_remove_bg_api(live_stack: Stack, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapper, "API_URL", f"{live_stack.base_url}/v1.0")
    _, secret = live_stack.create_key(team="Studio")

    answer = wrapper.RemoveBg(secret).remove_bg_file(str(photo), size="full")

    content = answer if isinstance(answer, bytes) else answer.content
    assert Image.open(io.BytesIO(content)).mode == "RGBA"


@pytest.mark.skipif(not NODE_CLIENT.exists() or shutil.which("node") is None, reason="npm install has not been run")
def test_the_npm_client(live_stack: Stack, photo: Path) -> None:
    _, secret = live_stack.create_key(team="Studio")
    code = NODE_CLIENT.read_text().replace("https://api.remove.bg", live_stack.base_url)
    patched = NODE_CLIENT.with_name("patched.js")  # next to the original, so that it finds its dependencies
    patched.write_text(code)
    script = photo.with_name("run.js")
    script.write_text(SCRIPT)

    try:
        command = ["node", str(script), str(patched), str(photo), secret]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    finally:
        patched.unlink()

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    result = Image.open(io.BytesIO(base64.b64decode(answer["base64img"])))
    assert result.size == (int(answer["resultWidth"]), int(answer["resultHeight"]))
