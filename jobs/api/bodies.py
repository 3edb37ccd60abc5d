"""Parsers of request bodies: JSON, forms and single pictures.

`JsonBody` and `JsonOrFormBody` accept any Content-Type, because many clients send a wrong Content-Type.
"""

from __future__ import annotations

import codecs
import json
from typing import IO, Any, ClassVar
from urllib.parse import parse_qs

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser, JSONParser

from jobs.errors import MalformedBody
from jobs.intake.sources import clean_name

_PIECE_BYTES = 2**16


class MarkedJson(JSONParser):
    """Parse a JSON object, with or without a byte order mark. Raise MalformedBody for other JSON values."""

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        context = parser_context or {}
        if codecs.lookup(context.get("encoding", "utf-8")).name == "utf-8":
            context = context | {"encoding": "utf-8-sig"}
        return require_object(super().parse(stream, media_type, context))


class RawPicture(BaseParser):
    """Parse a body that is one picture. Write it to a temporary file and return this file as the field `image`.

    The name of the file comes from the header Content-Disposition. The parser reads at most one byte more than the
    site's size limit. The view rejects a file with this extra byte as too large.
    """

    media_type = "image/*"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        name = _file_name(parser_context["request"].headers.get("Content-Disposition", ""))
        file = TemporaryUploadedFile(name, media_type or "", 0, None)
        left = settings.MATTING_MAX_IMAGE_BYTES + 1
        while left and (piece := stream.read(min(left, _PIECE_BYTES))):
            file.write(piece)
            left -= len(piece)
        file.size = file.tell()
        file.flush()
        file.seek(0)
        return {"image": file}


class RawBytes(RawPicture):
    """Parse a body that is one picture with the Content-Type `application/octet-stream`."""

    media_type = "application/octet-stream"


class JsonBody(BaseParser):
    """Parse a JSON object with any Content-Type. Raise MalformedBody for other bodies."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return json_object(_text_of(stream))


class JsonOrFormBody(BaseParser):
    """Parse a JSON object or a URL-encoded form, with any Content-Type. JSON begins with `{` or `[`.

    The value of a form field is a string, or a list of strings if the field is sent more than once.

    max_bytes: the maximum size of the body in bytes; None: the site's limit for all bodies.
    """

    media_type = "*/*"
    max_bytes: ClassVar[int | None] = None  # None: the limit of any body

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        text = _text_of(stream, self.max_bytes)
        if text.startswith(("{", "[")):
            return json_object(text)
        try:
            fields = parse_qs(text, keep_blank_values=True, max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS)
        except ValueError:
            raise MalformedBody from None
        return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}


class ShortJsonOrFormBody(JsonOrFormBody):
    """Parse a JSON object or a form of at most 64 KiB, for requests without a picture."""

    max_bytes = 64 * 2**10


def json_object(text: str) -> dict[str, Any]:
    """Parse a text and return the JSON object.

    Raise MalformedBody for invalid JSON, for NaN and infinity, and for a value that is not an object.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise MalformedBody("The request's body is not valid JSON.") from None
    return require_object(value)


def require_object(value: Any) -> dict[str, Any]:
    """Return `value`, which is parsed JSON, if it is an object. Raise MalformedBody for any other value."""
    if not isinstance(value, dict):
        raise MalformedBody("The request's body is not a JSON object.")
    return value


def _text_of(stream: IO[bytes], max_bytes: int | None = None) -> str:
    most = max_bytes or settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    data = stream.read(most + 1)
    if len(data) > most:
        raise RequestDataTooBig
    try:
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise MalformedBody("The request's body is not UTF-8.") from None


def _file_name(disposition: str) -> str:
    _, parameters = parse_header_parameters(disposition)
    return clean_name(parameters.get("filename", "") or "picture")


def _refuse(constant: str) -> None:
    raise ValueError(constant)
