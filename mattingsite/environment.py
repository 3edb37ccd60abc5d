"""Functions that read settings from the environment."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def read_or_create_secret(path: Path) -> str:
    """Return the secret in the file, created at random with mode 0600 if it does not exist."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(50))
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"MATTING_DATA_DIR={path.parent} cannot be used: {error.strerror}") from None


def broker_socket(data_dir: Path) -> Path:
    """Return the path of the embedded broker's socket; long paths exceed the system's limit of about 108 characters."""
    path = data_dir / "broker.sock"
    if len(str(path)) < 100:
        return path
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"keyline-{digest}.sock"


def optional(name: str, kind: type[int] | type[float], default: float | None = None) -> float | None:
    """Return a number, or None if the variable is empty, which means no limit."""
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        return kind(text) if text.strip() else None
    except ValueError:
        raise ImproperlyConfigured(f"{name}={text} must be a number, or empty for no limit") from None
