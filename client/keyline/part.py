"""A download in progress: a hidden file beside the target holds the received bytes until the download is complete."""

from __future__ import annotations

from pathlib import Path

import httpx


class Part:
    """A partial download in a hidden file.

    After a lost connection, `request_headers` requests only the missing bytes. The ETag of the first response is sent
    as If-Range, so that the bytes of two versions of a file are not mixed.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._file = target.with_name(f".{target.name}.part")
        self._file.write_bytes(b"")  # a file of an earlier process may belong to other content
        self._etag = ""

    def request_headers(self) -> dict[str, str]:
        """Return the headers that request the missing bytes; empty if the whole file must be requested."""
        have = self._file.stat().st_size
        return {"Range": f"bytes={have}-", "If-Range": self._etag} if have and self._etag else {}

    def begins(self, response: httpx.Response) -> bool:
        """Prepare the hidden file for a response's body, and return True. Return False if the response is an error.

        For a response with status 206, keep the bytes of the file, so that the body is appended to them. For any other
        successful response, empty the file, because the body is the complete content.
        """
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
        """Rename the hidden file to its target and return the target's path."""
        return self._file.replace(self._target)
