"""Find the weights file of a model on this host: in the weights folder, or as a verified copy from the storage."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from jobs.errors import NotFound
from jobs.models import ModelVersion
from jobs.results import storage
from segmentation.engines.manifest import file_digest, manifest_path

logger = logging.getLogger(__name__)

_FOLDER = "weights"


def weights_locate(version: ModelVersion) -> Path | None:
    """Return the path of a model's weights file on this host, or None if this host does not have it."""
    for path in (Path(settings.MATTING_WEIGHTS_DIR) / version.path, _copy_path(version.sha256, version.path)):
        if path.is_file() and digest_of(path) == version.sha256:
            return path
    return None


def weights_fetch(version: ModelVersion) -> Path | None:
    """Return the path of a model's weights file. If the file is missing, copy it from the storage first.

    Return None if the file is missing and cannot be copied.
    """
    found = weights_locate(version)
    if found is not None or not version.storage_key:
        return found
    target = _copy_path(version.sha256, version.path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if _has_manifest(version.storage_key):  # copied first, because another process may use the model at once
            manifest_path(target).write_bytes(storage.read(_manifest_key(version.storage_key)))
        _copy_verified(version.storage_key, target, version.sha256)
    except (NotFound, OSError, ValueError) as error:
        logger.warning("the weights %s could not be copied from the storage: %s", version, error)
        return None
    return target


def weights_publish(path: Path, sha256: str) -> str:
    """Store a copy of a weights file and its manifest for other hosts, and return the storage key of the copy.

    If the storage already contains a copy with this hash, the file is not stored again.

    sha256: the hash of the file (hex).
    """
    key = f"{_FOLDER}/{sha256}/{path.name}"
    if key not in storage.files_under(f"{_FOLDER}/{sha256}/"):
        beside = manifest_path(path)
        if beside.is_file() and not _has_manifest(key):
            storage.store(_manifest_key(key), beside.read_bytes())
        with path.open("rb") as stream:
            storage.store_stream(key, stream)
    return key


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file (hex).

    The value is cached until the size or the modification time of the file changes.
    """
    state = path.stat()
    return _digest(str(path), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: str, size: int, changed_at: int) -> str:
    return file_digest(Path(path))


def _copy_path(sha256: str, path: str) -> Path:
    return Path(settings.DATA_DIR) / _FOLDER / sha256 / Path(path).name


def _has_manifest(key: str) -> bool:
    return _manifest_key(key) in storage.files_under(f"{Path(key).parent}/")


def _manifest_key(key: str) -> str:
    return str(Path(key).with_suffix(".json"))


def _copy_verified(key: str, target: Path, sha256: str) -> None:
    """Copy a stored file to `target`. Raise ValueError if the SHA-256 of the content is not `sha256`.

    The copy has a temporary name until its hash has been checked.
    """
    digest = hashlib.sha256()
    descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(descriptor, "wb") as stream, storage.open_file(key) as source:
            while chunk := source.read(2**20):
                digest.update(chunk)
                stream.write(chunk)
        if digest.hexdigest() != sha256:
            raise ValueError(f"{key} has another checksum")
        os.replace(draft, target)
    finally:
        Path(draft).unlink(missing_ok=True)
