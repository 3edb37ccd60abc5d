"""Interrupted downloads: received bytes stay in a file beside the target until the download is complete."""

from __future__ import annotations

from pathlib import Path

import httpx


class Part:
    """Collect a download in a hidden file; after a lost connection, request the missing bytes.

    The header If-Range contains the ETag of the first response, so all bytes belong to the same content.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._file = target.with_name(f".{target.name}.part")
        self._file.write_bytes(b"")  # an earlier process may have stored bytes of other content
        self._etag = ""

    def request_headers(self) -> dict[str, str]:
        """Return the headers that request the missing bytes; empty when nothing has been received yet."""
        have = self._file.stat().st_size
        return {"Range": f"bytes={have}-", "If-Range": self._etag} if have and self._etag else {}

    def begins(self, response: httpx.Response) -> bool:
        """Prepare for the body of a response; return False when its status means that there is no body to store."""
        if not response.is_success:
            return False
        if response.status_code != 206:
            self._file.write_bytes(b"")
        self._etag = response.headers.get("ETag", "")
        return True

    def append(self, piece: bytes) -> None:
        with self._file.open("ab") as file:
            file.write(piece)

    def complete(self) -> Path:
        """Move the file to its target, and return the target's path."""
        return self._file.replace(self._target)
