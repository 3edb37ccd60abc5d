"""Tests that each API limits the size of request bodies, for bodies with a Content-Length and for chunked bodies."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from tests.api.contracts import needs
from tests.cast import Person


def of(name: str, *values: Any) -> Any:
    """Return a pytest parameter set with `values`. Its test is skipped if the API `name` does not exist."""
    return pytest.param(*values, marks=needs(name))


SEGMENT = "/rest/2.0/image-process/v1/segment"
DASHSCOPE = "/api/v1/services/aigc/image2image/image-synthesis"
PICWISH = "/task/pic/segmentation"
SINGLE = "/api/matting/single"
BATCH = "/api/matting/batch"
CAP = 64 * 2**10
MULTIPART = "multipart/form-data; boundary=x"


class Endless(io.RawIOBase):
    """A request body that starts with `head` and then contains endless zeros. It counts the bytes that are read."""

    def __init__(self, head: bytes = b"") -> None:
        super().__init__()
        self.head, self.taken = head, 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "read without a size"
        start, self.taken = self.taken, self.taken + size
        return (self.head[start : start + size]).ljust(size, b"\0")


def sent(client: Client, path: str, body: io.IOBase, content_type: str, **environ: Any) -> HttpResponse:
    """Send a request whose body is read from a stream, and return the response.

    environ: additional values of the WSGI environment, such as a Content-Length.
    """
    wanted = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_TYPE": content_type, "wsgi.input": body}
    return client.request(**wanted, **environ)


def chunked(client: Client, path: str, body: io.IOBase, content_type: str = "application/json") -> HttpResponse:
    """Send a request with a chunked body, as the web server passes it to Django, and return the response."""
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    return sent(client, path, body, content_type, **environ, HTTP_X_DASHSCOPE_ASYNC="enable")


def file_head(field: str) -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n\r\n'.encode()


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[int]:
    """Limit pictures to CAP bytes and store uploads on disk; return the list of the sizes of all stored chunks.

    The list grows when a chunk is stored.
    """
    settings.MATTING_MAX_IMAGE_BYTES = CAP
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    written: list[int] = []
    keep = TemporaryFileUploadHandler.receive_data_chunk

    def counted(handler: TemporaryFileUploadHandler, raw_data: bytes, start: int) -> None:
        written.append(len(raw_data))
        keep(handler, raw_data, start)

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", counted)
    return written


@pytest.mark.parametrize(
    ("path", "field"),
    [
        of("unet", SINGLE, "image"),
        of("picwish", PICWISH, "image_file"),
        ("/api/uploads/", "image"),
    ],
)
def test_a_file_that_is_too_large_ends_the_request_where_it_passes_the_limit(
    alice: Person, idle_worker: None, on_disk: list[int], path: str, field: str
) -> None:
    body = Endless(file_head(field))

    answer = sent(alice.api(), path, body, MULTIPART, CONTENT_LENGTH=str(2 * CAP))

    assert answer.status_code == 413, answer.content
    assert f"a.jpg has more than {CAP} bytes" in answer.content.decode()
    assert sum(on_disk) <= CAP
    assert body.taken <= 4 * CAP


@pytest.mark.parametrize(
    "path",
    [
        of("unet", SINGLE),
        of("picwish", PICWISH),
        of("dashscope", DASHSCOPE),
        of("baidu", SEGMENT),
        "/api/uploads/",
        "/api/jobs/",
        "/api/webhooks/",
    ],
)
def test_a_body_that_says_it_is_too_long_is_not_read(alice: Person, path: str) -> None:
    body = Endless(file_head("image"))

    answer = sent(alice.api(), path, body, MULTIPART, CONTENT_LENGTH=str(10 * 2**30), HTTP_X_DASHSCOPE_ASYNC="enable")

    assert answer.status_code == {SEGMENT: 200, "/api/webhooks/": 415}.get(path, 413), answer.content
    assert body.taken == 0
    if path == SEGMENT:
        assert answer.json()["error_code"] == 216202


@pytest.mark.parametrize("path", ["/accounts/login/", "/team/", "/submit", "/admin/login/"])
def test_a_stranger_cannot_send_a_page_more_than_a_form(client: Client, on_disk: list[int], path: str) -> None:
    body = Endless(file_head("image"))

    answer = sent(client, path, body, MULTIPART, CONTENT_LENGTH=str(600 * 2**10))

    assert answer.status_code in (413, 302)
    assert (body.taken, on_disk) == (0, [])


def test_a_form_s_file_that_is_too_large_is_told_on_the_page(alice: Person, on_disk: list[int]) -> None:
    upload = SimpleUploadedFile("a.jpg", b"\xff\xd8\xff" + bytes(2**20))

    page = alice.browser().post("/submit", {"image": upload}, follow=True)

    assert page.status_code == 200
    assert f"a.jpg has more than {CAP} bytes" in page.content.decode()
    assert sum(on_disk) == CAP + 1


@needs("unet")
def test_a_file_that_is_too_large_fails_by_itself_in_a_batch(
    alice: Person, idle_worker: None, on_disk: list[int], jpeg_bytes: bytes, settings: Settings
) -> None:
    settings.MATTING_MAX_IMAGE_BYTES = len(jpeg_bytes)
    files = [SimpleUploadedFile("a.jpg", jpeg_bytes), SimpleUploadedFile("b.jpg", b"\xff\xd8\xff" + bytes(2**20))]

    answer = alice.api().post(BATCH, {"images": files})

    assert answer.status_code == 200, answer.content
    outcomes = Job.objects.get().images.order_by("position").values_list("name", "error_code")
    assert list(outcomes) == [("a.jpg", ""), ("b.jpg", "image_too_large")]
    assert sum(on_disk) <= 2 * len(jpeg_bytes) + 1


@needs("unet")
def test_a_zip_may_be_larger_than_a_picture_and_no_larger_than_an_archive(
    alice: Person, on_disk: list[int], settings: Settings
) -> None:
    settings.MATTING_MAX_ARCHIVE_BYTES = 5 * CAP
    upload = SimpleUploadedFile("a.zip", b"PK\x03\x04" + bytes(7 * CAP))

    answer = alice.api().post(BATCH, {"zip": upload})

    assert answer.status_code == 413, answer.content
    assert sum(on_disk) == 5 * CAP + 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        of(
            "dashscope",
            DASHSCOPE,
            {"model": "image-instance-segmentation", "input": {"image_url": "http://example.com/a.png"}},
            200,
        ),
        of("picwish", PICWISH, {"image_base64": "PICTURE"}, 200),
        ("/api/jobs/", {"image_base64": "PICTURE"}, 202),
        of("baidu", SEGMENT, {"image": "PICTURE"}, 200),
    ],
)
def test_a_body_in_chunks_is_read(
    alice: Person, instant_worker: object, jpeg_bytes: bytes, path: str, body: dict[str, Any], status: int
) -> None:
    text = json.dumps(body).replace("PICTURE", base64.b64encode(jpeg_bytes).decode())

    answer = chunked(alice.api(), path, io.BytesIO(text.encode()))

    assert answer.status_code == status, answer.content
    assert b"error" not in answer.content or path == "/api/jobs/"
    assert Job.objects.count() == 1


@needs("unet")
def test_a_form_in_chunks_is_read(alice: Person, instant_worker: object, jpeg_bytes: bytes) -> None:
    form = io.BytesIO(file_head("image") + jpeg_bytes + b"\r\n--x--\r\n")

    answer = chunked(alice.api(), SINGLE, form, MULTIPART)

    assert answer.status_code == 200, answer.content


@pytest.mark.parametrize(
    ("path", "field", "status"),
    [
        of("unet", SINGLE, "image", 413),
        of("picwish", PICWISH, "image_file", 413),
        ("/api/jobs/", "image", 413),
        of("baidu", SEGMENT, "image", 200),
    ],
)
def test_a_body_in_chunks_is_read_up_to_the_limit(
    alice: Person,
    idle_worker: None,
    on_disk: list[int],
    settings: Settings,
    path: str,
    field: str,
    status: int,
) -> None:
    settings.MATTING_MAX_ARCHIVE_BYTES = CAP  # the native route takes zips as well
    body = Endless(file_head(field))

    answer = chunked(alice.api(), path, body, MULTIPART if path != SEGMENT else "application/json")

    assert answer.status_code == status, answer.content
    assert sum(on_disk) <= CAP + 1  # one additional byte shows that a file is too long
    assert body.taken < 2**20
    if path == SEGMENT:
        assert answer.json()["error_code"] == 216202


def test_a_stranger_s_chunks_are_not_read(on_disk: list[int]) -> None:
    body = Endless(file_head("image"))

    answer = chunked(Client(), "/api/jobs/", body, MULTIPART)

    assert (answer.status_code, body.taken) == (401, 0)


def test_a_page_takes_a_form_in_chunks_and_no_more(client: Client, db: None) -> None:
    form = io.BytesIO(b"login=stranger&password=wrong")

    taken = chunked(client, "/accounts/login/", form, "application/x-www-form-urlencoded")
    refused = chunked(client, "/accounts/login/", Endless(), "application/x-www-form-urlencoded")

    assert (taken.status_code, taken.context["form"].data["login"]) == (200, "stranger")
    assert refused.status_code == 413


@pytest.mark.parametrize(
    ("path", "status"), [("/api/jobs/", 411), of("picwish", PICWISH, 400), ("/accounts/login/", 411)]
)
def test_chunks_that_the_server_does_not_take_apart_are_refused(alice: Person, path: str, status: int) -> None:
    body = Endless()

    answer = sent(alice.api(), path, body, "application/json", HTTP_TRANSFER_ENCODING="chunked")

    assert (answer.status_code, body.taken) == (status, 0)
    assert b"Content-Length" in answer.content
