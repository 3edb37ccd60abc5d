"""Serializer fields and mixins that several APIs use. Some fields take their ranges from `CutoutOptions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from rest_framework import serializers

from jobs.errors import MalformedBody
from segmentation.errors import ParameterUnknown
from segmentation.names import known_names_hint
from segmentation.options import RANGES

if TYPE_CHECKING:
    Base = serializers.Serializer
else:
    Base = object

SWITCH_MESSAGE = "must be true or false."
_SWITCHES = {"true": True, "false": False, "1": True, "0": False}


class SwitchField(serializers.BooleanField):
    """Field for a boolean: JSON true or false, the words `true` or `false` in any case, or 1 or 0.

    If a form does not contain the field, the option keeps its default. The framework's own BooleanField would use
    false.
    """

    default_empty_html = serializers.empty
    default_error_messages = {"invalid": SWITCH_MESSAGE}

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, str | int):
            value = _SWITCHES.get(str(data).strip().lower())
            if value is not None:
                return value
        self.fail("invalid", input=data)
        return False


class Choice(serializers.ChoiceField):
    """Choice field whose error message lists all choices."""

    default_error_messages = {"invalid_choice": '"{input}" is not a valid choice; choose from {allowed}.'}

    def fail(self, key: str, **values: Any) -> NoReturn:
        super().fail(key, allowed=", ".join(str(choice) for choice in self.choices), **values)
        raise AssertionError("unreachable")


class WholeOptionField(serializers.IntegerField):
    """Integer field for an option of `CutoutOptions`. It accepts the same range of values as this option.

    option: the name of the option.
    """

    def __init__(self, option: str, **options: Any) -> None:
        span = RANGES[option]
        message = f"must be a whole number from {span.low} to {span.high}."
        options.setdefault("error_messages", dict.fromkeys(("invalid", "min_value", "max_value"), message))
        super().__init__(min_value=int(span.low), max_value=int(span.high), **options)


class ShareOptionField(serializers.FloatField):
    """Float field for an option of `CutoutOptions`. It accepts the same range of values as this option.

    option: the name of the option.
    """

    def __init__(self, option: str, **options: Any) -> None:
        span = RANGES[option]
        message = f"must be a number from {span.low} to {span.high}."
        options.setdefault("error_messages", dict.fromkeys(("invalid", "min_value", "max_value"), message))
        super().__init__(min_value=span.low, max_value=span.high, **options)


class KnownFieldsOnly(Base):
    """Mixin that rejects unknown fields. The error message suggests the most similar known name.

    In the list of base classes, this mixin must be before the serializer class.

    also_known: names that are allowed although the serializer does not define them.
    """

    also_known: ClassVar[tuple[str, ...]] = ("csrfmiddlewaretoken",)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            require_known([name for name in data if name not in self.also_known], list(self.fields))
        return super().to_internal_value(data)


def require_known(names: Iterable[Any], known: Sequence[str], *, kind: str = "field") -> None:
    """Raise ParameterUnknown for the first of `names` that is not in `known`.

    The error message suggests the most similar known name. Raise MalformedBody for a name with unprintable characters.
    Such a name shows that a file was sent as a form.

    kind: the noun for the names in the message, in the singular.
    """
    for name in map(str, names):
        if name in known:
            continue
        if not name.isprintable():
            raise MalformedBody("The body is not a form; send a picture with its Content-Type, such as image/jpeg.")
        hint = known_names_hint(name, known, kind=kind)
        raise ParameterUnknown(f"{name[:60]!r} is not a {kind}; {hint}", field=name[:60])


class BlankAsDefault(Base):
    """Mixin that treats an empty string or null as a missing field, because forms send empty strings.

    In the list of base classes, this mixin must be before the serializer class.
    """

    def to_internal_value(self, data: Any) -> Any:
        names: list[str] = list(getattr(data, "keys", list)())
        if any(data[name] in ("", None) for name in names):
            data = {name: data[name] for name in names if data[name] not in ("", None)}
        return super().to_internal_value(data)
