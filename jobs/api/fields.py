"""Stage 2, parameters: kinds of fields that more than one dialect has."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

_WORDS = {"true": True, "false": False, "1": True, "0": False}


class SwitchField(serializers.BooleanField):
    """Take true or false, as JSON, as a word in any case, or as 1 and 0.

    The framework's own field takes a switch that a form leaves out for switched off; here it keeps its default.
    """

    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, str | int):
            value = _WORDS.get(str(data).strip().lower())
            if value is not None:
                return value
        self.fail("invalid", input=data)
        return False


class BlankAsDefault:
    """Take an empty text, as forms send, or null for a field that was not sent. Mixed into a serializer, before it."""

    def to_internal_value(self, data: Any) -> Any:
        names = getattr(data, "keys", list)()
        if any(data[name] in ("", None) for name in names):
            data = {name: data[name] for name in names if data[name] not in ("", None)}
        return super().to_internal_value(data)
