"""Tests that long base64 texts are removed from a body before it is parsed, and are decoded to the same bytes."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlencode

import pytest
from django.http import HttpRequest, HttpResponse

from tests.webserver.conftest import Running, answer
from webserver import application
from webserver.long_texts import (
    NotBase64,
    NotBase64Url,
    TextTooLong,
    decoded_to_file,
    has_long_text,
    is_form,
    taken_out,
    texts_of_request,
)
from webserver.multipart import field_bytes

DATA = random.Random(3).randbytes(700_001)
TEXT = base64.b64encode(DATA).decode()


def decoded(text: str, max_bytes: int = 10**9) -> bytes:
    target = io.BytesIO()
    assert decoded_to_file(text, target, max_bytes=max_bytes) == target.tell()
    return target.getvalue()


@pytest.fixture
def lean() -> Callable[..., str]:
    """Return a function that replaces the long texts in a request body by marks and returns the new body.

    The function stores the removed texts as the long texts of the current request.
    """

    def take(body: bytes, *, form: bool = False) -> str:
        rest, texts = taken_out(io.BytesIO(body), is_form=form)
        texts_of_request.set(texts)
        return rest.read().decode()

    return take


@pytest.mark.parametrize("before", [0, 1, 2**18 - 30, 2**18 - 16, 2**18 - 5000])
@pytest.mark.parametrize("escape", [lambda text: text, lambda text: text.replace("/", "\\/").replace("+", "\\u002b")])
def test_a_text_in_json_gives_its_bytes_wherever_chunks_end(
    lean: Callable[..., str], before: int, escape: Callable[[str], str]
) -> None:
    filler = ", ".join(["1"] * (before // 3)) or "1"
    body = f'{{"filler": [{filler}], "image": "data:image\\/png;base64,{escape(TEXT)}", "short": "a+b/c="}}'

    rest = lean(body.encode())

    assert len(rest) < before + 300
    fields = json.loads(rest)
    assert has_long_text(fields["image"])
    assert not has_long_text(fields["short"])
    assert decoded(fields["image"].partition(",")[2]) == DATA


def test_line_breaks_and_missing_padding_do_not_matter(lean: Callable[..., str]) -> None:
    broken = "\n".join(TEXT[start : start + 76] for start in range(0, len(TEXT), 76)).rstrip("=")

    assert decoded(json.loads(lean(json.dumps({"image": broken}).encode()))["image"]) == DATA


def test_a_text_in_a_form_gives_its_bytes(lean: Callable[..., str]) -> None:
    fields = parse_qs(lean(urlencode({"a": "1", "image": TEXT}).encode(), form=True))

    assert fields["a"] == ["1"]
    assert decoded(fields["image"][0]) == DATA


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", " \n DATA:image/png; charset=utf-8;BASE64 ,"])
@pytest.mark.parametrize("escape", [str, lambda text: quote(text, safe=""), lambda text: text.replace("m", "%6d")])
@pytest.mark.parametrize("form", [False, True])
def test_a_data_url_gives_its_bytes_in_every_body(
    lean: Callable[..., str], prefix: str, escape: Callable[[str], str], form: bool
) -> None:
    fields = {"image": prefix + escape(TEXT)}

    rest = lean((urlencode(fields) if form else json.dumps(fields)).encode(), form=form)

    assert len(rest) < 300
    assert decoded(parse_qs(rest)["image"][0] if form else json.loads(rest)["image"]) == DATA


def test_a_data_url_of_another_kind_is_told_from_wrong_base64(lean: Callable[..., str]) -> None:
    rest = lean(urlencode({"image": "data:image/svg+xml," + TEXT}).encode(), form=True)

    with pytest.raises(NotBase64Url):
        decoded(parse_qs(rest)["image"][0])


def test_a_body_without_long_texts_stays_as_it_is(lean: Callable[..., str]) -> None:
    body = json.dumps({"fields": [{"name": "a" * 300}] * 3000})

    assert lean(body.encode()) == body


@pytest.mark.parametrize("damage", ["A", "*", "=A"])
def test_what_is_not_base64_is_refused(lean: Callable[..., str], damage: str) -> None:
    whole = base64.b64encode(DATA[:699_999]).decode()  # no padding: one more character would be too many
    text = json.loads(lean(json.dumps({"image": whole + damage}).encode()))["image"]

    with pytest.raises(NotBase64):
        decoded(text)


def test_a_text_is_not_decoded_beyond_the_limit(lean: Callable[..., str]) -> None:
    text = json.loads(lean(json.dumps({"image": TEXT}).encode()))["image"]
    target = io.BytesIO()

    with pytest.raises(TextTooLong):
        decoded_to_file(text, target, max_bytes=1000)
    assert target.tell() == 0


def test_a_mark_of_another_request_stands_for_nothing(lean: Callable[..., str]) -> None:
    stolen = json.loads(lean(json.dumps({"image": TEXT}).encode()))["image"]

    lean(b"{}")

    assert not has_long_text(stolen)


@pytest.mark.parametrize(
    ("kind", "start", "expected"),
    [
        (b"application/json", b'{"a": 1}', False),
        (b"application/problem+json", b"[", False),
        (b"application/octet-stream", b' {"a"', False),
        (b"application/x-www-form-urlencoded", b"image=", True),
        (b"application/x-www-form-urlencoded", b'{"a": 1}', False),
        (b"image/png", b"{", None),
        (b"application/octet-stream", b"\x89PNG", None),
        (b"multipart/form-data; boundary=x", b"{", None),
    ],
)
def test_a_body_is_told_by_its_kind_and_its_first_bytes(kind: bytes, start: bytes, expected: bool | None) -> None:
    assert is_form(kind, start) is expected


def test_only_fields_without_a_file_name_count_in_a_form() -> None:
    part = b'--xyz\r\nContent-Disposition: form-data; name="a"%s\r\n\r\n%s\r\n'
    file, field = part % (b'; filename="a.png"', bytes(600_000)), part % (b"", b"1" * 500_000)
    body = io.BytesIO(file + field + file + b"--xyz--\r\n")

    assert field_bytes(body, b"multipart/form-data; boundary=xyz") == len(field) + len(b"--xyz--\r\n")
    assert body.tell() == 0
    assert field_bytes(body, b"multipart/form-data") == len(body.getvalue())


def post(running: Running, body: bytes, kind: str = "application/json") -> tuple[int, bytes]:
    """Send a body to /read; return the status and body of the response."""
    head = f"POST /read HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    client = running.connect(f"{head}\r\n\r\n")
    client.sendall(body)
    return answer(client)


def read_image(request: HttpRequest) -> HttpResponse:
    request.META["webserver.body_limit"] = 10**9
    return HttpResponse(decoded(json.loads(request.META["wsgi.input"].read())["image"]))


def test_a_view_gets_a_short_body_and_the_bytes_of_the_text(serve: Callable[..., Running]) -> None:
    running = serve()
    running.views.by_path["/read"] = read_image

    assert post(running, json.dumps({"image": TEXT}).encode()) == (200, DATA)


def test_a_document_that_would_take_much_memory_is_not_parsed(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "_MOST_PARSED_BYTES", 2**19)
    running = serve()

    def read(request: HttpRequest) -> HttpResponse:
        request.META["webserver.body_limit"] = 10**9
        try:
            request.META["wsgi.input"].read()
        except Exception as error:
            return HttpResponse(type(error).__name__, status=413)
        return HttpResponse("read")

    running.views.by_path["/read"] = read

    assert post(running, b"[" + b"1, " * 100_000 + b"1]") == (200, b"read")
    assert post(running, b"[" + b"1, " * 200_000 + b"1]") == (413, b"RequestDataTooBig")
