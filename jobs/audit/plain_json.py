"""Conversion of text and values to the form in which the database returns them.

Therefore an entry has the same hash when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

_EXPONENT_FROM = 1e16  # from this number on Python writes an exponent (1e+16)


def clean_text(text: str, length: int | None = None) -> str:
    """Return text without the characters that PostgreSQL rejects (NUL, lone surrogates), cut to `length` characters."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:length]


def plain_json(values: Mapping[str, Any] | None) -> Any:
    """Return values as JSON types that SQLite and PostgreSQL return unchanged; None for None."""
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
    """Return the number in a text of digits with a fraction or an exponent.

    PostgreSQL writes numbers without an exponent and has no negative zero, so large values become integers.
    """
    value = float(text)
    return int(value) if abs(value) >= _EXPONENT_FROM else value + 0.0
