"""Comparison with the program rembg, with the same ONNX file and the same photos.

The server `rembg s` receives photos over HTTP. The command `rembg p` processes a folder of photos.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from tests.bench import mixed
from tests.bench.figures import Figure
from tests.bench.on_site import Site, timed
from tests.bench.several import QUIET
from tests.bench.sizes import Sizes
from tests.stack import ROOT, free_port, running_stack, wait_for

MODEL = "isnet-general-use"  # rembg looks for a file of this name


def servers(onnx: Path, rembg: Path, sizes: Sizes) -> list[Figure]:
    """Send single 1080p photos to this site and to rembg's server in turn, and return the measured times as figures.

    onnx: the weight file that both programs use. rembg: the path of rembg's program. sizes: the extent of the
    benchmark.
    """
    photos = [mixed.picture(mixed.FULL_HD, 300 + number) for number in range(2 + sizes.rival_requests)]
    ours_ms, theirs_ms, builtin_ms = [], [], []
    with (
        _weights(onnx) as (weights, home),
        _rembg_server(rembg, home) as address,
        running_stack(**QUIET, MATTING_WEIGHTS=str(weights)) as stack,
        running_stack(**QUIET) as builtin_stack,
    ):
        same, builtin = Site(stack), Site(builtin_stack)
        for photo in photos:
            ours_ms.append(timed(same, photo, "png"))
            theirs_ms.append(_asked(address, photo))
            builtin_ms.append(timed(builtin, photo, "png"))
    ours, theirs, own = (statistics.median(values[2:]) for values in (ours_ms, theirs_ms, builtin_ms))
    return [
        Figure("rivals.s", "`rembg s`, same ONNX file, 1080p: time", ours, "ms", theirs / 3, rival=theirs),
        Figure("rivals.s_builtin", "… our built-in model against the same", own, "ms", rival=theirs),
    ]


def folders(onnx: Path, rembg: Path, sizes: Sizes) -> list[Figure]:
    """Process a folder of photos with the command of each program, and return the measured times as figures.

    The times include the start of the programs. onnx: the weight file that both programs use. rembg: the path of
    rembg's program. sizes: the extent of the benchmark.
    """
    with (
        _weights(onnx) as (weights, home),
        tempfile.TemporaryDirectory() as name,
        tempfile.TemporaryDirectory() as kept,
    ):
        source = Path(name, "in")
        source.mkdir()
        for number, content in enumerate(
            mixed.picture(mixed.FULL_HD, 400 + number) for number in range(sizes.rival_folder)
        ):
            (source / f"{number:02}.jpg").write_bytes(content)
        environment = os.environ | {"MATTING_DATA_DIR": kept, "MATTING_RUNTIME": "openvino"}
        paths = sorted(map(str, source.iterdir()))
        command = [sys.executable, str(ROOT / "manage.py"), "cutout", *paths, "-o"]
        warm = [*command[:3], paths[0], "-o", str(Path(name, "warm"))]
        _took([*warm], environment | {"MATTING_WEIGHTS": str(weights)})  # the first start converts the model
        ours = _took([*command, str(Path(name, "ours"))], environment | {"MATTING_WEIGHTS": str(weights)})
        first = Path(name, "first")
        first.mkdir()
        shutil.copy(paths[0], first)
        rival = [str(rembg), "p", "-m", MODEL]
        _took([*rival, str(first), str(Path(name, "first-out"))], os.environ | _home(home))  # rembg compiles once, too
        theirs = _took([*rival, str(source), str(Path(name, "theirs"))], os.environ | _home(home))
        own = _took([*command, str(Path(name, "own"))], environment)
        made = len(list(Path(name, "theirs").glob("*.png")))
    if made != sizes.rival_folder:
        raise RuntimeError(f"rembg made {made} of {sizes.rival_folder} pictures")
    what = f"`rembg p`, same ONNX file, {sizes.rival_folder} photos of 1080p with start-up: time"
    return [
        Figure("rivals.p", what, ours, "s", theirs / 4, rival=theirs),
        Figure("rivals.p_builtin", "… our built-in model against the same", own, "s", rival=theirs),
    ]


def _took(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return time.perf_counter() - started


def _asked(address: str, photo: bytes) -> float:
    started = time.perf_counter()
    response = requests.post(
        f"{address}/api/remove",
        files={"file": ("photo.jpg", photo, "image/jpeg")},
        data={"model": MODEL},
        timeout=300,
    )
    took_ms = (time.perf_counter() - started) * 1000
    if response.status_code != 200 or not response.content.startswith(b"\x89PNG"):
        raise RuntimeError(f"rembg answered {response.status_code}: {response.text[:200]}")
    return took_ms


@contextlib.contextmanager
def _weights(onnx: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the path of the ONNX file, and a folder that contains a copy with the file name that rembg expects."""
    with tempfile.TemporaryDirectory(prefix="keyline-rembg-") as name:
        home = Path(name)
        shutil.copy(onnx, home / f"{MODEL}.onnx")
        yield onnx.resolve(), home


@contextlib.contextmanager
def _rembg_server(rembg: Path, home: Path) -> Iterator[str]:
    port = free_port()
    command = [str(rembg), "s", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with subprocess.Popen(
        command, env=os.environ | _home(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(lambda: _listens(address), timeout_s=400, what="rembg does not start")
            yield address
        finally:
            process.terminate()
            process.wait(30)


def _home(home: Path) -> dict[str, str]:
    return {"U2NET_HOME": str(home), "MODEL_CHECKSUM_DISABLED": "1"}


def _listens(address: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{address}/api", timeout=2).status_code < 500
    return False
