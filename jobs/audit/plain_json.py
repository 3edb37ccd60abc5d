"""Convert text and values to the form that the database returns, so that an entry has the same hash when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

_EXPONENT_FROM = 1e16  # from this number on Python writes an exponent (1e+16)


def clean_text(text: str, length: int | None = None) -> str:
    """Return text without characters that PostgreSQL refuses (NUL, lone surrogates), cut to `length` characters."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:length]


def plain_json(values: Mapping[str, Any] | None) -> Any:
    """Return values as JSON types that both databases return unchanged."""
    if values is None:
        return None
    text = json.dumps(values, cls=DjangoJSONEncoder)
    return _cleaned(json.loads(text, parse_float=_number, parse_constant=str))


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {clean_text(name): _cleaned(inner) for name, inner in value.items()}
        case list():
            return [_cleaned(inner) for inner in value]
    return value


def _number(text: str) -> int | float:
    """Parse a fraction. PostgreSQL writes numbers without an exponent, and has no negative zero."""
    value = float(text)
    return int(value) if abs(value) >= _EXPONENT_FROM else value + 0.0
