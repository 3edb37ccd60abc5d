"""A download in progress: a file beside its target contains the received bytes until the download is complete."""

from __future__ import annotations

from pathlib import Path

import httpx


class Part:
    """Store a download in a hidden file; after a lost connection, the rest is requested.

    The rest is requested only for the same content: the ETag of the first response is sent in If-Range.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._file = target.with_name(f".{target.name}.part")
        self._file.write_bytes(b"")  # a file of an earlier process may belong to other content
        self._etag = ""

    def request_headers(self) -> dict[str, str]:
        """Return the headers that request the missing part; empty for a whole file."""
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
        """Rename the file to its target and return the target's path."""
        return self._file.replace(self._target)
