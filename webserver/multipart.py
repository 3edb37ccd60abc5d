"""Size of the fields of a multipart form that are not files, measured without parsing the form."""

from __future__ import annotations

import re
from typing import IO

_BOUNDARY = re.compile(rb"boundary=(?:\"([^\"]{1,200})\"|([^;\s]{1,200}))", re.IGNORECASE)
_CHUNK_BYTES = 2**18
_HEADER_BYTES = 1024


def field_bytes(body: IO[bytes], kind: bytes) -> int:
    """Return the total size in bytes of the parts that have no file name, with their headers. Rewind `body`.

    body: a multipart form.
    kind: the Content-Type. If it has no boundary, return the size of the whole body.
    """
    found = _BOUNDARY.search(kind)
    if found is None:
        return _length(body)
    starts = _places(body, b"--" + (found[1] or found[2]))
    ends = [*starts[1:], _length(body)]
    total = 0
    for start, end in zip(starts, ends, strict=True):
        body.seek(start)
        header = body.read(min(_HEADER_BYTES, end - start)).partition(b"\r\n\r\n")[0].lower()
        if b"filename" not in header:
            total += end - start
    body.seek(0)
    return total


def _places(body: IO[bytes], mark: bytes) -> list[int]:
    """Return the positions of `mark` in a file.

    Stop after the chunk in which the number of positions reaches 10,000.
    """
    places: list[int] = []
    body.seek(0)
    tail, offset = b"", 0
    while len(places) < 10_000 and (chunk := body.read(_CHUNK_BYTES)):
        text = tail + chunk
        place = text.find(mark)
        while place >= 0:
            places.append(offset - len(tail) + place)
            place = text.find(mark, place + len(mark))
        offset += len(chunk)
        tail = text[-(len(mark) - 1) :]
    return places


def _length(body: IO[bytes]) -> int:
    length = body.seek(0, 2)
    body.seek(0)
    return length
