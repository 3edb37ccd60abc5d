"""Streamed responses whose parts are produced while they are sent."""

from __future__ import annotations

from django.http import StreamingHttpResponse


class PieceResponse(StreamingHttpResponse):
    """A streamed response whose parts may be produced in any thread, because they use no database connection.

    Other streamed responses, except files, are written to a temporary file before they are sent.
    """
