"""Tests of the log: JSON lines with the ids of request, team, key, job and picture.

Repeated lines are limited, and the log contains no secrets.
"""

from __future__ import annotations

import io
import json
import logging
import logging.config
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.test import Client
from pytest_django import Settings

from jobs.models import Job, JobImage
from jobs.telemetry.logs import Repetitions, logging_settings
from tests.cast import Person


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Yield the stream to which log lines are written with the JSON configuration."""
    output = io.StringIO()
    configuration = logging_settings(log_format="json", level="INFO")
    configuration["handlers"]["console"]["stream"] = output
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    logging.config.dictConfig(configuration)
    yield output
    root.handlers, root.level = kept, level
    structlog.contextvars.clear_contextvars()


def parsed(output: io.StringIO, logger: str = "") -> list[dict[str, Any]]:
    found = [json.loads(line) for line in output.getvalue().splitlines()]
    return [line for line in found if not logger or line["logger"] == logger]


def test_a_request_is_one_line_with_its_ids_and_without_its_query(alice: Person, lines: io.StringIO) -> None:
    response = alice.api().get("/api/jobs/?access_token=hunter2")

    [line] = parsed(lines, "keyline.access")
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert (line["team"], line["key"]) == (str(alice.team.pk), alice.key.public_id)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/jobs/", response.status_code)
    assert line["duration_ms"] > 0
    assert "hunter2" not in lines.getvalue()
    assert alice.secret not in lines.getvalue()


def test_the_id_of_a_trusted_proxy_is_used_and_a_strangers_is_not(db: None, settings: Settings) -> None:
    sent = f"proxy-{uuid.uuid4()}"

    assert Client().get("/health/live", headers={"x-request-id": sent}).headers["X-Request-Id"] != sent
    settings.BEHIND_PROXY = True
    assert Client().get("/health/live", headers={"x-request-id": sent}).headers["X-Request-Id"] == sent
    forged = "two words\twith a tab"
    assert Client().get("/health/live", headers={"x-request-id": forged}).headers["X-Request-Id"] != forged


def test_the_audit_and_the_job_have_the_id_of_the_response(alice: Person) -> None:
    response = alice.api().get("/api/jobs/00000000-0000-4000-8000-000000000000/")

    assert response.json()["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.django_db(transaction=True)
def test_every_change_of_state_is_one_line(alice: Person, lines: io.StringIO) -> None:
    job = Job.objects.create(team=alice.team, dialect=Job.Dialect.NATIVE, options={}, images_total=1)
    image = JobImage.objects.create(job=job)

    image.claim(lease_s=8, worker="gpu-1-7")
    job.start()
    image.finish("failed", error_code="timeout")
    job.finish("failed", code="timeout")

    moves = [(line["kind"], line["state"]) for line in parsed(lines, "keyline.transition")]
    assert moves == [("picture", "running"), ("job", "running"), ("picture", "failed"), ("job", "failed")]
    failed = parsed(lines, "keyline.transition")[2]
    assert (failed["job"], failed["picture"], failed["error_code"]) == (str(job.pk), str(image.pk), "timeout")


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_is_not_logged(alice: Person, lines: io.StringIO) -> None:
    from django.db import transaction

    job = Job.objects.create(team=alice.team, dialect=Job.Dialect.NATIVE, options={}, images_total=1)
    with transaction.atomic():
        job.start()
        transaction.set_rollback(True)

    assert parsed(lines, "keyline.transition") == []


def test_a_flood_of_errors_becomes_three_lines_and_a_count(lines: io.StringIO) -> None:
    logger = logging.getLogger("jobs.work.queue")
    for attempt in range(500):
        logger.error("the queue does not answer, attempt %s", attempt)

    assert len(parsed(lines)) == 3


def test_the_count_of_hidden_lines_is_reported_with_the_next_one() -> None:
    repetitions = Repetitions(shown=1, period_s=0.0)
    repetitions._seen[("jobs", logging.ERROR, "away %s")] = (0.0, 41)
    record = logging.LogRecord("jobs", logging.ERROR, "file", 1, "away %s", ("now",), None)

    assert repetitions.filter(record)
    assert record.getMessage() == "away now (repeated 40 more times)"


def test_a_traceback_is_part_of_its_json_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("jobs").exception("picture failed")

    [line] = parsed(lines)
    assert "ValueError: broken" in line["exception"]
    assert line["level"] == "error"
