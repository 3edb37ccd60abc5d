"""List the public checkpoints and download them; a file gets its name only when complete and verified."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from segmentation.engines.manifest import Manifest, checked_digest, manifest_path
from segmentation.errors import WeightsInvalid

CATALOGUE = Path(__file__).parents[1] / "weights" / "public.json"
TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 18

Progress = Callable[[int, int | None], None]  # bytes received, total bytes (None: unknown)


class DownloadFailed(Exception):
    """A download stopped early or was refused; the received part is kept for the next try."""


def public_checkpoints() -> dict[str, Manifest]:
    """Return the catalogue, from name to manifest; raise WeightsInvalid for an invalid entry."""
    return {name: Manifest.from_json(entry, name=name) for name, entry in _entries().items()}


def fetch_checkpoint(name: str, folder: Path, *, progress: Progress) -> Path:
    """Download a checkpoint of the catalogue into `folder`, with its manifest, and return the file's path.

    A complete file is kept. An interrupted download is resumed. Raises KeyError for an unknown name, DownloadFailed, or
    WeightsInvalid for a wrong checksum; the file gets its name only after that check.
    """
    entry = _entries()[name]
    manifest = Manifest.from_json(entry, name=name)
    target = folder / f"{name}.onnx"
    folder.mkdir(parents=True, exist_ok=True)
    if target.exists():
        sha256 = checked_digest(target, manifest)
        _write_manifest(target, entry | {"name": name, "sha256": sha256})
        return target
    part = target.with_name(target.name + ".part")
    resumed = part.exists() and part.stat().st_size > 0
    download(manifest.url, part, progress=progress)
    try:
        sha256 = checked_digest(part, manifest)
    except WeightsInvalid:
        part.unlink()
        if not resumed:
            raise WeightsInvalid(f"The file at {manifest.url} does not have the checksum of {name}.") from None
        return fetch_checkpoint(name, folder, progress=progress)  # the kept part was wrong
    _write_manifest(target, entry | {"name": name, "sha256": sha256})
    part.replace(target)
    return target


def download(url: str, part: Path, *, progress: Progress, timeout_s: float = TIMEOUT_S) -> None:
    """Download the missing bytes of `url` into `part`; raise DownloadFailed."""
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
            return  # nothing was missing; the checksum is verified next
        raise DownloadFailed(f"{url} answered {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed(f"The download of {url} stopped early ({error}); run the command again.") from error
    if total is not None and have < total:
        raise DownloadFailed(f"The download of {url} stopped at {have} of {total} bytes; run the command again.")


def _entries() -> dict[str, dict[str, object]]:
    return json.loads(CATALOGUE.read_text(encoding="utf-8"))


def _write_manifest(target: Path, entry: dict[str, object]) -> None:
    path = manifest_path(target)
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(entry, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
