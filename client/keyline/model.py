"""The data classes of the service's responses: jobs, their pictures and files, result pictures, and errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TERMINAL = ("succeeded", "failed", "canceled")


class KeylineError(Exception):
    """An error of the service or the connection.

    status: the HTTP status, or 0 if there was no response.
    code: the stable error code of the service; `timeout` or `not_found` if this client detected the error; or empty.
    field: the name of the invalid field, or empty.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", field: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.field = status, code, field


@dataclass(frozen=True)
class StoredFile:
    """A file of a result.

    kind: `cutout`, `mask` or another output of the job.
    url: a signed URL, which needs no key.
    bytes: the file's size.
    """

    kind: str
    url: str
    content_type: str
    bytes: int


@dataclass(frozen=True)
class Image:
    """One picture of a job, with its result files. `error` is a message, or empty."""

    id: str
    name: str
    status: str
    error: str
    files: list[StoredFile] = field(default_factory=list)

    def file(self, kind: str = "cutout") -> StoredFile:
        """Return the newest file of a kind, such as `cutout` or `mask`. Raise KeylineError if there is none."""
        found = [one for one in self.files if one.kind == kind]
        if not found:
            raise KeylineError(f"{self.name} has no {kind}", code="not_found")
        return found[-1]


@dataclass(frozen=True)
class Job:
    """A job with its state at the time of the response. `error` is a message, or empty.

    images_total, images_succeeded, images_failed: the numbers of its pictures.
    """

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
    """A result: the bytes of the file and its media type."""

    content: bytes
    content_type: str

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file and return the file's path. An existing file is overwritten.

        The content is first written to a hidden file, so that no other program sees an incomplete file.
        """
        target = Path(path)
        unfinished = target.with_name(f".{target.name}.part")
        unfinished.write_bytes(self.content)
        unfinished.replace(target)
        return target


def job_of(body: dict[str, Any]) -> Job:
    """Return the job that the service's JSON object describes."""
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
