"""The operator's content check runs before a picture is processed; a refused picture is not processed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from jobs.models import Job
from tests.api.native.sent import photo
from tests.cast import Person
from tests.fakes import FakeEngine

pytestmark = pytest.mark.django_db


def refuse(data: bytes, about: dict[str, str]) -> str | None:
    return f"no cats in {about['dialect']}" if data else None


def allow(data: bytes, about: dict[str, str]) -> str | None:
    return None


def submitted(person: Person, picture: bytes) -> dict[str, object]:
    return person.api().post("/api/jobs/?wait=5", {"image": photo(picture)}).json()


def test_a_refused_picture_is_not_processed(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Settings
) -> None:
    settings.MATTING_CONTENT_CHECK = f"{__name__}.refuse"

    body = submitted(alice, jpeg_bytes)

    assert body["error"] == {"code": "content_refused", "detail": "no cats in native"}
    assert instant_worker.calls == []


def test_an_allowed_picture_is_processed(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Settings
) -> None:
    settings.MATTING_CONTENT_CHECK = f"{__name__}.allow"

    assert submitted(alice, jpeg_bytes)["status"] == "succeeded"


def test_a_check_that_fails_lets_nothing_pass(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Settings
) -> None:
    settings.MATTING_CONTENT_CHECK = f"{__name__}.missing"

    submitted(alice, jpeg_bytes)

    assert Job.objects.get().error_code == "internal"


@pytest.fixture
def service() -> Iterator[str]:
    """A service that rejects pictures of the team Studio."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            allowed = self.headers["X-Keyline-Team"] != "Studio"
            body = json.dumps({"allowed": allowed, "reason": "asked over HTTP"}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/check"
    server.shutdown()
    server.server_close()


def test_a_url_is_asked_with_the_picture(
    alice: Person, charlie: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Settings, service: str
) -> None:
    settings.MATTING_CONTENT_CHECK = service

    refused, allowed = (submitted(person, jpeg_bytes) for person in (alice, charlie))

    assert refused["error"] == {"code": "content_refused", "detail": "asked over HTTP"}
    assert allowed["status"] == "succeeded"
