"""Send stored files: complete, as one byte range (206), or only the status that they are unchanged (304)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from jobs.models import Artifact
from jobs.results import storage

_PIECE_BYTES = 2**18
_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def file_response(request: Request, artifact: Artifact, *, as_attachment: bool) -> HttpResponseBase:
    """Return a response with an artifact, private, and with headers that prevent browsers from running it."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
        "ETag": f'"{artifact.sha256[:32]}"',
        "Accept-Ranges": "bytes",
    }
    response = (
        get_conditional_response(request._request, etag=headers["ETag"])
        or _ranged(request, artifact, headers["ETag"])
        or FileResponse(
            storage.open_file(artifact.key),
            content_type=artifact.content_type,
            filename=artifact.file_name,
            as_attachment=as_attachment,
        )
    )
    for name, value in headers.items():
        response[name] = value
    return response


def _ranged(request: Request, artifact: Artifact, etag: str) -> HttpResponseBase | None:
    """Return 206 for one byte range, and 416 for a range outside the file; None for any other request."""
    match = _ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or not any(match.groups()) or request.headers.get("If-Range", etag) != etag:
        return None
    size = artifact.bytes
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = StreamingHttpResponse(_pieces(artifact.key, start, end), status=206, content_type=artifact.content_type)
    part["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    part["Content-Length"] = str(end - start)
    return part


def _pieces(key: str, start: int, end: int) -> Iterator[bytes]:
    with storage.open_file(key) as file:
        file.seek(start)
        left = end - start
        while left and (piece := file.read(min(_PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
