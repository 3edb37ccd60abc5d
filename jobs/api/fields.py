"""Serializer fields that several dialects use, among them those whose range comes from `CutoutOptions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from segmentation.options import RANGES

if TYPE_CHECKING:
    Base = serializers.Serializer
else:
    Base = object

_SWITCHES = {"true": True, "false": False, "1": True, "0": False}


class SwitchField(serializers.BooleanField):
    """Accept true or false as JSON, as a word in any case, or as 1 and 0.

    The framework's field reads a switch that a form leaves out as false; this one keeps its default.
    """

    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, str | int):
            value = _SWITCHES.get(str(data).strip().lower())
            if value is not None:
                return value
        self.fail("invalid", input=data)
        return False


class WholeOptionField(serializers.IntegerField):
    """Accept a whole number in the range of an option of `CutoutOptions`."""

    def __init__(self, option: str, **options: Any) -> None:
        span = RANGES[option]
        super().__init__(min_value=int(span.low), max_value=int(span.high), **options)


class ShareOptionField(serializers.FloatField):
    """Accept a number in the range of an option of `CutoutOptions`."""

    def __init__(self, option: str, **options: Any) -> None:
        span = RANGES[option]
        super().__init__(min_value=span.low, max_value=span.high, **options)


class BlankAsDefault(Base):
    """Read an empty string, as forms send, and null like a field that was not sent. Mixed in before a serializer."""

    def to_internal_value(self, data: Any) -> Any:
        names: list[str] = list(getattr(data, "keys", list)())
        if any(data[name] in ("", None) for name in names):
            data = {name: data[name] for name in names if data[name] not in ("", None)}
        return super().to_internal_value(data)
