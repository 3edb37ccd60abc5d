"""Errors that exist only in the Baidu-compatible API (an emulated vendor API)."""

from __future__ import annotations

from jobs.errors import AuthenticationRequired
from segmentation.errors import InvalidParameter


class TokenExpired(AuthenticationRequired):
    public_message = "The access token has expired."


class ParameterTooLong(InvalidParameter):
    public_message = "A parameter is too long."
