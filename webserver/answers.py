"""Streamed responses that are produced while they are sent."""

from __future__ import annotations

from django.http import StreamingHttpResponse


class PieceResponse(StreamingHttpResponse):
    """A streamed response whose pieces may be produced in any thread, because they use no database connection.

    Any other streamed response, except files, is written to a temporary file before it is sent.
    """
