"""Streamed answers that are made while they are sent."""

from __future__ import annotations

from django.http import StreamingHttpResponse


class PieceResponse(StreamingHttpResponse):
    """Stream pieces that may be made in any thread, one after the other: none comes from a database connection.

    Any other streamed answer that is no file is written down before it is sent.
    """
