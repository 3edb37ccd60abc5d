"""A download that is under way: what has arrived lies beside its target, until all of it is there."""

from __future__ import annotations

from pathlib import Path

import httpx


class Part:
    """Collect a download in a hidden file; a lost connection is followed by a request for the rest.

    The rest is requested only of the same content: the ETag of the first response goes along in If-Range.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._file = target.with_name(f".{target.name}.part")
        self._file.write_bytes(b"")  # what an earlier process left may be of another file
        self._etag = ""

    def request_headers(self) -> dict[str, str]:
        """Return the headers that request what is missing; none for a whole file."""
        have = self._file.stat().st_size
        return {"Range": f"bytes={have}-", "If-Range": self._etag} if have and self._etag else {}

    def begins(self, response: httpx.Response) -> bool:
        """Prepare for the body of a response; return False when its status says that there is none to store."""
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
        """Move the file to its target; return that."""
        return self._file.replace(self._target)
