"""Send stored files: the complete file, one byte range (206), or only the status 304 if the file is unchanged.

The setting MATTING_SEND_FILES selects the sender of the bytes: this process, nginx (with X-Accel-Redirect), or the
storage bucket (with a redirect to a link that is valid for five minutes). nginx and the bucket also support byte
ranges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from jobs.models import Artifact
from jobs.results import storage

_PIECE_BYTES = 2**18
# The internal location of deploy/nginx/keyline.conf whose alias is the media folder.
_NGINX_LOCATION = "/stored-files/"
_BUCKET_LINK_TTL_S = 300
_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def file_response(request: Request, artifact: Artifact, *, as_attachment: bool) -> HttpResponseBase:
    """Return a response with a stored file, and with headers that prevent browsers from running the file.

    Only private caches may store the response.

    as_attachment: whether browsers save the file (True) or show it (False).
    """
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
        "ETag": f'"{artifact.sha256[:32]}"',
        "Accept-Ranges": "bytes",
    }
    if settings.SEND_FILES == "bucket":  # browsers must not store it: the link expires earlier than the response
        headers["Cache-Control"] = "private, no-cache"
    response = get_conditional_response(request._request, etag=headers["ETag"]) or _sent(
        request, artifact, headers["ETag"], as_attachment=as_attachment
    )
    for name, value in headers.items():
        response[name] = value
    return response


def _sent(request: Request, artifact: Artifact, etag: str, *, as_attachment: bool) -> HttpResponseBase:
    disposition = content_disposition_header(as_attachment, artifact.file_name) or "inline"
    if settings.SEND_FILES == "nginx":
        storage.local_path(artifact.key)  # raises NotFound for a missing file before nginx could report it
        response = HttpResponse(content_type=artifact.content_type)
        response["X-Accel-Redirect"] = _NGINX_LOCATION + quote(artifact.key)
        response["Content-Disposition"] = disposition
        return response
    if settings.SEND_FILES == "bucket":
        return HttpResponseRedirect(
            storage.bucket_link(
                artifact.key, content_type=artifact.content_type, disposition=disposition, ttl_s=_BUCKET_LINK_TTL_S
            )
        )
    return _ranged(request, artifact, etag) or FileResponse(
        storage.open_file(artifact.key),
        content_type=artifact.content_type,
        filename=artifact.file_name,
        as_attachment=as_attachment,
    )


def _ranged(request: Request, artifact: Artifact, etag: str) -> HttpResponseBase | None:
    """Return the response to a request for one byte range; return None for other requests.

    The status is 206, or 416 for a range outside the file (RFC 9110, section 14).
    """
    match = _ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or not any(match.groups()) or request.headers.get("If-Range", etag) != etag:
        return None
    size = artifact.bytes
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None  # an invalid range is ignored (RFC 9110)
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        return HttpResponse(
            status=416, content_type=artifact.content_type, headers={"Content-Range": f"bytes */{size}"}
        )
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
