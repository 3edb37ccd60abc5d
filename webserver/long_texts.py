"""Removal of long base64 texts from a request body before the body is parsed, to save memory.

A parser needs a whole JSON document or form at once and keeps each of its texts. A picture of 20 MB that is sent as
base64 would need more than 100 MB. Therefore long runs of base64 characters are written to disk and replaced by short
marks. `decoded_to_file` decodes a text in which marks replace such runs.
"""

from __future__ import annotations

import binascii
import io
import re
import string
import tempfile
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain
from typing import IO
from urllib.parse import unquote_to_bytes
from uuid import uuid4

# The characters of base64, and those of their escape sequences in JSON (\/ \n \u002b) and in forms (%2B).
_CHARACTERS = (string.ascii_letters + string.digits + "+/%\\_-").encode()


@dataclass(frozen=True, slots=True)
class _Alphabet:
    """The characters of which a long run of base64 consists, and patterns that find such a run.

    In a form, `=` separates names from values, so the alphabet of a form does not contain it.
    """

    characters: bytes

    @property
    def long_run(self) -> re.Pattern[bytes]:
        return re.compile(b"[%b]{4096,}" % re.escape(self.characters))

    @property
    def start(self) -> re.Pattern[bytes]:
        return re.compile(b"[%b]+" % re.escape(self.characters))


_FORM, _JSON = _Alphabet(_CHARACTERS), _Alphabet(_CHARACTERS + b"=")
_CHUNK_BYTES = 2**18
_MARK = re.compile(r"(long-text-[0-9a-f]{32})")
_JSON_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_FORM_ESCAPE = re.compile(rb"%([0-9a-fA-F]{2})")
_BREAKS = b" \t\r\n"
_LONGEST_ESCAPE = 6
_LONGEST_URL_START = 1024  # bytes of a `data:` URL up to its comma


class NotBase64(ValueError):
    """Raised when a text is not valid base64."""


class NotBase64Url(NotBase64):
    """Raised when a text is a `data:` URL whose content is not base64."""


class TextTooLong(ValueError):
    """Raised when a text decodes to more bytes than allowed."""


@dataclass(slots=True)
class LongText:
    """A long base64 text from a request body, stored in a temporary file. The text is not unescaped yet.

    is_form: True if the text is escaped as in a URL-encoded form (`%2B`), False if it is escaped as in JSON.
    """

    file: IO[bytes]
    is_form: bool


Texts = Mapping[str, LongText]
# The texts taken out of the body of the request that this thread handles.
texts_of_request: ContextVar[Texts] = ContextVar("texts_of_request")


def taken_out(body: IO[bytes], *, is_form: bool) -> tuple[IO[bytes], dict[str, LongText]]:
    """Return a copy of a body in which marks replace the long texts, and a dict from mark to long text.

    A mark is a short unique word. The original `body` is closed.

    is_form: True for a form, False for JSON.
    """
    texts: dict[str, LongText] = {}
    rest = tempfile.SpooledTemporaryFile(max_size=2**20)  # noqa: SIM115  the request closes it
    alphabet = _FORM if is_form else _JSON
    long_run, start_of_run = alphabet.long_run, alphabet.start
    goes_on: LongText | None = None
    held_back = b""
    body.seek(0)
    while chunk := body.read(_CHUNK_BYTES):
        chunk = held_back + chunk
        place = 0
        if goes_on is not None:
            start = start_of_run.match(chunk)
            place = start.end() if start else 0
            goes_on.file.write(chunk[:place])
            if place < len(chunk):
                goes_on = None
        for run in long_run.finditer(chunk, place):
            text = LongText(tempfile.TemporaryFile(), is_form)  # noqa: SIM115  it lives as long as the request
            mark = f"long-text-{uuid4().hex}"
            texts[mark] = text
            text.file.write(run.group())
            rest.write(chunk[place : run.start()] + mark.encode())
            place = run.end()
            goes_on = text if place == len(chunk) else None
        # A short run at the end may be the start of a long one; it must not be split inside an escape.
        end = max(place, len(chunk.rstrip(alphabet.characters)))
        rest.write(chunk[place:end])
        held_back = chunk[end:]
    rest.write(held_back)
    body.close()
    rest.seek(0)
    return rest, texts


def has_long_text(text: str) -> bool:
    """Return whether a text contains a mark that replaces a long text of the current request."""
    return any(mark in texts_of_request.get({}) for mark in _MARK.findall(text))


def decoded_to_file(text: str, target: IO[bytes], *, max_bytes: int) -> int:
    """Decode a base64 text into the file `target`, and return the number of bytes.

    text: the base64 text, in which marks may replace long texts.

    The text may be a `data:` URL (RFC 2397). Raise NotBase64 or NotBase64Url for invalid base64, and TextTooLong as
    soon as there are more than `max_bytes` bytes.
    """
    rest, length, has_ended = b"", 0, False
    for piece in _content(_pieces(text)):
        piece = piece.translate(None, _BREAKS)
        if has_ended and piece.strip(b"="):
            raise NotBase64
        piece = rest + piece
        whole = piece.rstrip(b"=")
        has_ended = has_ended or len(whole) < len(piece)
        usable = len(whole) // 4 * 4
        data = _decoded(whole[:usable])
        rest = whole[usable:]
        length += len(data)
        if length > max_bytes:
            raise TextTooLong
        target.write(data)
    last = _decoded(rest + b"=" * (-len(rest) % 4))
    target.write(last)
    if length + len(last) > max_bytes:
        raise TextTooLong
    return length + len(last)


def _decoded(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=bool(text))
    except binascii.Error as error:
        raise NotBase64 from error


def _pieces(text: str) -> Iterator[bytes]:
    """Yield the bytes of a text in pieces; each mark is replaced by the content of its file."""
    texts = texts_of_request.get({})
    for part in _MARK.split(text):
        found = texts.get(part)
        if found is None:
            yield part.encode("latin-1", "replace")
        else:
            yield from _unescaped(found)


def _content(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the base64 text in pieces: for a `data:` URL its content without percent-encoding, else the whole text.

    The beginning of the URL may be in a long text too, because in a form its punctuation is percent-encoded.
    """
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _LONGEST_URL_START:
            break
    head = head.lstrip(_BREAKS + b"\xa0")
    if head[:5].lower() != b"data:":
        yield head
        yield from pieces
        return
    start, comma, rest = head.partition(b",")
    if not comma or not start.strip().lower().endswith(b"base64"):
        raise NotBase64Url
    for piece in chain([b""], pieces):
        piece = rest + piece
        cut = piece.rfind(b"%", max(0, len(piece) - 2))
        rest = piece[cut:] if cut >= 0 else b""
        yield unquote_to_bytes(piece[: len(piece) - len(rest)])
    yield rest


def _unescaped(text: LongText) -> Iterator[bytes]:
    text.file.seek(0)
    rest, sign = b"", b"%" if text.is_form else b"\\"
    while chunk := text.file.read(_CHUNK_BYTES):
        chunk = rest + chunk
        cut = chunk.rfind(sign, max(0, len(chunk) - _LONGEST_ESCAPE + 1))
        # An escape at the end may continue in the next chunk. An escaped escape is not base64.
        rest = chunk[cut:] if cut >= 0 else b""
        yield _replaced(chunk[: len(chunk) - len(rest)], text.is_form)
    yield _replaced(rest, text.is_form)


def _replaced(chunk: bytes, is_form: bool) -> bytes:
    if is_form:
        return _FORM_ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), chunk.replace(b"+", b" "))
    return _JSON_ESCAPE.sub(_json_character, chunk) if b"\\" in chunk else chunk


def _json_character(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes([min(0xFF, int(escape[1], 16))])
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(escape[2], escape[2])


def is_form(kind: bytes, start: bytes) -> bool | None:
    """Return True if a body is a URL-encoded form, False if it is JSON, and None if it is neither.

    The result is None for a multipart form too.

    kind: the Content-Type.
    start: the first bytes of the body.
    """
    kind = kind.lower()
    if kind.startswith(b"application/x-www-form-urlencoded"):
        return start.lstrip()[:1] not in (b"{", b"[")
    if b"json" in kind or (not kind.startswith((b"multipart/", b"image/")) and start.lstrip()[:1] in (b"{", b"[")):
        return False
    return None


class TooLargeBody(io.RawIOBase):
    """A body that would need too much memory. Reading it raises `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, size: int = -1) -> bytes:
        raise self._error

    def readline(self, size: int | None = -1) -> bytes:
        raise self._error
