"""Request parsers that detect the type of a body by its content, because clients send any Content-Type."""

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
    """Parser of a JSON object, with or without a byte order mark. It raises MalformedBody for other JSON."""

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        context = parser_context or {}
        if codecs.lookup(context.get("encoding", "utf-8")).name == "utf-8":
            context = context | {"encoding": "utf-8-sig"}
        return require_object(super().parse(stream, media_type, context))


class RawPicture(BaseParser):
    """Parser of a body that is one picture. It writes the picture to a temporary file, which is the field `image`.

    The name of the file comes from Content-Disposition. The parser stops one byte after the site's limit, so that the
    view recognises a picture that is too large.
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
    """Parser of a picture that is sent as `application/octet-stream`."""

    media_type = "application/octet-stream"


class JsonBody(BaseParser):
    """Parser of a JSON object under any Content-Type. It raises MalformedBody for other bodies."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return json_object(_text_of(stream))


class JsonOrFormBody(BaseParser):
    """Parser of a JSON object or a URL-encoded form under any Content-Type, distinguished by the first character.

    A form's value is a string, or a list of strings if the name is sent more than once.
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
    """Parser of a JSON object or a form of at most 64 KiB, which contains no picture."""

    max_bytes = 64 * 2**10


def json_object(text: str) -> dict[str, Any]:
    """Return the parsed JSON object; raise MalformedBody for other values, invalid JSON, NaN and infinity."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise MalformedBody("The request's body is not valid JSON.") from None
    return require_object(value)


def require_object(value: Any) -> dict[str, Any]:
    """Return `value`, parsed JSON, if it is an object; raise MalformedBody for any other value."""
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
