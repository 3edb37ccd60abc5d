"""Files in the data folder that the settings need: the secret key and the socket of the embedded queue server."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

FOLDER_MODE = 0o700
GROUP_PASSES_MODE = 0o710
FILE_MODE = 0o600


def read_or_create_secret(path: Path) -> str:
    """Return the secret in a file; create a missing file with a random secret that only its owner can read.

    path: a file in the data folder.

    Raise ImproperlyConfigured if the file or its folder cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(50))
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"MATTING_DATA_DIR={path.parent} cannot be used: {error.strerror}") from None


def broker_socket(data_dir: Path) -> Path:
    """Return the path of the socket of the embedded broker, the Valkey server that holds the queue.

    If the data folder's path is long, the socket is in the temporary folder, because the path of a socket is limited to
    about 108 characters.
    """
    path = data_dir / "broker.sock"
    if len(str(path)) < 100:
        return path
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"keyline-{digest}.sock"
