"""Thousands of generated requests to every door: no server error, no hang, no answer that the schema does not allow."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from jobs.errors import DownloadFailed
from jobs.work import queue
from tests import photos
from tests.cast import Person
from tests.fakes import FakeEngine

pytestmark = pytest.mark.slow

CASES_AT_LEAST = 2000
CASES_AN_OPERATION = 72
SLOWEST_ANSWER_S = 20.0
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOORS = {"Native", "UNet", "Baidu", "DashScope", "PicWish"}

PICTURES = [photos.encode(photos.astronaut()[100:148, 200:248], kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")]


@pytest.fixture
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Keep the test's own database connection open between requests, and let nothing leave this machine."""

    def away(*args: object, **values: object) -> None:
        raise DownloadFailed

    monkeypatch.setattr("jobs.intake.fetch.fetch_bytes", away)
    monkeypatch.setattr("jobs.webhooks.delivery.post_bytes", away)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def _files_are_often_pictures() -> None:
    """Let every third file be one that can be cut out; random bytes alone would never get past the door."""
    schemathesis.openapi.format("binary", strategies.sampled_from(PICTURES) | strategies.binary(max_size=300))


@pytest.mark.usefixtures("_one_connection", "_files_are_often_pictures")
def test_generated_requests_are_answered_as_the_schema_says(alice: Person, instant_worker: FakeEngine) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", get_wsgi_application())
    operations = [result.ok() for result in schema.get_all_operations()]

    problems, counts = [], {}
    for operation in operations:
        counts[operation.label], problem = fuzz(operation, alice)
        problems += [problem] if problem else []

    assert not problems, "\n\n".join(problems)
    assert sum(counts.values()) >= CASES_AT_LEAST, counts
    assert {tag for operation in operations for tag in operation.tags or ()} >= DOORS


def fuzz(operation: APIOperation, person: Person) -> tuple[int, str]:
    """Send generated requests, good and bad ones, to one operation; give their count and what went wrong first."""
    count = 0

    def send(case: schemathesis.Case) -> None:
        nonlocal count
        count += 1
        queue.connection().flushall()  # so that no limit of requests a second answers in place of the view
        case.headers = dict(case.headers or {}) | {"Authorization": f"Bearer {person.secret}"}
        response = case.call()
        assert response.elapsed < SLOWEST_ANSWER_S, f"{response.elapsed} s"
        case.validate_response(response, checks=CHECKS)

    problem = ""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        run = hypothesis.given(operation.as_strategy(generation_mode=mode))(send)
        examples = hypothesis.settings(
            max_examples=CASES_AN_OPERATION // 2,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        )
        try:
            examples(run)()
        except Unsatisfiable:
            continue  # nothing about this operation can be wrong, or nothing can be right
        except (AssertionError, FailureGroup) as error:
            problem = problem or f"{operation.label}: {type(error).__name__} {error}"[:3000]
    return count, problem
