"""Requests that the tests of the native API send, and checks of the responses."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile


def photo(content: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/jpeg")


def files_of(body: dict, kind: str) -> list[dict]:
    return [file for image in body["images"] for file in image["files"] if file["kind"] == kind]


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
