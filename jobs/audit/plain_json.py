"""Convert text and values to the form in which the database returns them.

Therefore the hash of an entry is the same before the entry is stored and after it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

_EXPONENT_FROM = 1e16  # from this number on Python writes an exponent (1e+16)


def clean_text(text: str, length: int | None = None) -> str:
    """Return a text without the characters that PostgreSQL rejects (NUL and lone surrogates).

    length: the maximum number of characters (a longer text is cut); None: no limit.
    """
    return text.replace("\x00", "").encode(errors="replace").decode()[:length]


def plain_json(values: Mapping[str, Any] | None) -> Any:
    """Convert values to JSON types that SQLite and PostgreSQL store and return unchanged.

    Return None if `values` is None.
    """
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
    """Convert the text of a JSON number that has a fraction or an exponent.

    PostgreSQL returns a large number without an exponent, so a number from 1e16 on becomes an integer. PostgreSQL has
    no negative zero, so -0.0 becomes 0.0.
    """
    value = float(text)
    return int(value) if abs(value) >= _EXPONENT_FROM else value + 0.0
