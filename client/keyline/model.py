"""The objects in the service's responses: jobs with their pictures and files, result pictures, and errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TERMINAL = ("succeeded", "failed", "canceled")


class KeylineError(Exception):
    """An error of the service: its HTTP status, its stable code, and the name of the invalid field, if any."""

    def __init__(self, message: str, *, status: int = 0, code: str = "", field: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.field = status, code, field


@dataclass(frozen=True)
class StoredFile:
    """A file of a result; `url` is a signed link."""

    kind: str
    url: str
    content_type: str
    bytes: int


@dataclass(frozen=True)
class Image:
    """One picture of a job."""

    id: str
    name: str
    status: str
    error: str
    files: list[StoredFile] = field(default_factory=list)

    def file(self, kind: str = "cutout") -> StoredFile:
        """Return the newest file of a kind; raise KeylineError without one."""
        found = [one for one in self.files if one.kind == kind]
        if not found:
            raise KeylineError(f"{self.name} has no {kind}", code="not_found")
        return found[-1]


@dataclass(frozen=True)
class Job:
    """A job with its state at the time of the request."""

    id: str
    status: str
    error: str
    images: list[Image]
    images_total: int
    images_succeeded: int
    images_failed: int

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True)
class Picture:
    """The bytes and the media type of a result."""

    content: bytes
    content_type: str

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file, completely or not at all, and return the file's path."""
        target = Path(path)
        unfinished = target.with_name(f".{target.name}.part")
        unfinished.write_bytes(self.content)
        unfinished.replace(target)
        return target


def job_of(body: dict[str, Any]) -> Job:
    """Build a job from the service's JSON."""
    return Job(
        id=body["id"],
        status=body["status"],
        error=_error(body),
        images=[_image(image) for image in body["images"]],
        images_total=body["images_total"],
        images_succeeded=body["images_succeeded"],
        images_failed=body["images_failed"],
    )


def _image(body: dict[str, Any]) -> Image:
    files = [StoredFile(one["kind"], one["url"], one["content_type"], one["bytes"]) for one in body["files"]]
    return Image(body["id"], body["name"], body["status"], _error(body), files)


def _error(body: dict[str, Any]) -> str:
    return body["error"]["detail"] if body["error"] else ""
