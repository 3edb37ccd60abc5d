"""Tests of traces and error reports: one trace contains a request and all stages of its picture, but no secrets."""

from __future__ import annotations

import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_django import Settings

from jobs.models import JobImage
from jobs.running import checks
from jobs.telemetry import tracing
from jobs.work import tasks
from mattingsite import packages
from tests import photos
from tests.cast import Person
from tests.fakes import FakeEngine, answering
from tests.stack import ROOT


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.tracing_start(endpoint="", share=1.0, exporter=exporter)
    yield exporter
    tracing.tracing_stop()


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    return next(span for span in spans.get_finished_spans() if span.name == name)


@pytest.mark.django_db(transaction=True)
def test_a_request_its_picture_and_the_stages_are_one_trace(
    alice: Person, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(FakeEngine()))
    photo = SimpleUploadedFile("photo.jpg", photos.encoded("JPEG", quality=60), "image/jpeg")

    response = alice.api().post("/api/jobs/", {"image": photo})
    tasks.image_process(str(JobImage.objects.get().pk))

    request, picture = named(spans, "POST /api/jobs/"), named(spans, "picture")
    queue, model = named(spans, "queue"), named(spans, "model")
    assert {span.context.trace_id for span in (request, picture, queue, model)} == {
        uuid.UUID(response["X-Request-Id"]).int
    }
    assert request.parent is None
    assert picture.parent.span_id == request.context.span_id
    assert queue.parent.span_id == model.parent.span_id == picture.context.span_id
    assert queue.start_time == picture.start_time <= queue.end_time <= model.start_time <= picture.end_time
    assert picture.attributes["keyline.job"] == response.json()["id"]
    assert request.attributes["http.response.status_code"] == response.status_code


def test_a_share_of_zero_records_nothing() -> None:
    exporter = InMemorySpanExporter()
    tracing.tracing_start(endpoint="", share=0.0, exporter=exporter)

    tracing.request_traced(request_id=str(uuid.uuid4()), name="GET /", duration_s=0.1, status=200, attributes={})
    tracing.tracing_stop()

    assert exporter.get_finished_spans() == ()


def test_nothing_is_traced_without_the_setting() -> None:
    tracing.request_traced(request_id="x", name="GET /", duration_s=0.1, status=200, attributes={})


class Receiver(http.server.BaseHTTPRequestHandler):
    """A request handler that stores all request bodies, as a trace collector or Sentry does."""

    bodies: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.bodies.append((self.path, plain))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[int]:
    Receiver.bodies = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


OBSERVED = """
import logging, django
django.setup()
import structlog, sentry_sdk
from jobs.telemetry import tracing
structlog.contextvars.bind_contextvars(request_id="the-id-of-the-request")
def fails():
    secret = "hunter2"
    raise RuntimeError("it broke")
try:
    fails()
except RuntimeError:
    logging.getLogger("jobs").exception("unexpected")
sentry_sdk.flush(10)
tracing.request_traced(request_id="11111111-2222-4333-8444-555555555555", name="GET /x", duration_s=0.1, status=200,
                       attributes={})
tracing.tracing_stop()
"""


@pytest.mark.slow
def test_spans_and_errors_reach_their_servers_by_settings_alone(receiver: int, tmp_path: object) -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "mattingsite.settings",
        "MATTING_DATA_DIR": str(tmp_path),
        "MATTING_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver}",
        "MATTING_SENTRY_DSN": f"http://public@127.0.0.1:{receiver}/1",
    }

    done = subprocess.run(
        [sys.executable, "-c", OBSERVED], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    by_path: dict[str, bytes] = {}
    for path, body in Receiver.bodies:
        by_path[path] = by_path.get(path, b"") + body
    assert uuid.UUID("11111111-2222-4333-8444-555555555555").bytes in by_path["/v1/traces"]
    report = by_path["/api/1/envelope/"].decode()
    events = [json.loads(line) for line in report.splitlines() if '"exception"' in line]
    assert events[0]["exception"]["values"][-1]["value"] == "it broke"
    assert events[0]["tags"]["request_id"] == "the-id-of-the-request"
    assert "hunter2" not in json.dumps(events[0]["exception"]["values"][-1].get("vars", {}))
    assert all("vars" not in frame for frame in events[0]["exception"]["values"][-1]["stacktrace"]["frames"])


def test_a_missing_package_is_told_with_its_setting(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SENTRY_DSN = "https://public@sentry.example.com/1"
    monkeypatch.setattr(packages, "find_spec", lambda module: None)

    (error,) = [error for error in checks.check_matting_settings(None) if error.id == "keyline.E013"]

    assert "MATTING_SENTRY_DSN" in error.msg
    assert "requirements-observe.txt" in error.msg
