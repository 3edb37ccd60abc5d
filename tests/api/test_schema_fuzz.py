"""Tests that send generated requests to each API.

No request may cause a server error or a hang, and the schema must allow each response.
"""

from __future__ import annotations

import re
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.urls import resolve
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

from jobs.api import registry
from jobs.errors import DownloadFailed
from tests import photos
from tests.cast import Person
from tests.fakes import FakeEngine

CASES_AN_OPERATION = 52  # more than 2,000 requests over all APIs
SLOWEST_ANSWER_S = 20.0
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
APIS = ["Native", *(str(dialect.label) for dialect in registry.dialects())]

PICTURES = [photos.encode(photos.astronaut()[100:148, 200:248], kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")]


@pytest.fixture
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Keep the test's database connection open between requests, and block downloads and callbacks."""

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
    """Generate pictures for many file fields, because the APIs would reject random bytes immediately."""
    schemathesis.openapi.format("binary", strategies.sampled_from(PICTURES) | strategies.binary(max_size=300))


@pytest.fixture
def _no_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch off rate limits, because their errors would replace the tested responses."""
    monkeypatch.setattr("jobs.api.base.request_spend", lambda team, rates: [])


@pytest.mark.slow
@pytest.mark.parametrize("api", APIS)
@pytest.mark.usefixtures("_one_connection", "_files_are_often_pictures", "_no_rates")
def test_generated_requests_are_answered_as_the_schema_says(
    api: str, alice: Person, instant_worker: FakeEngine
) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", get_wsgi_application()).include(tag=api)
    operations = [result.ok() for result in schema.get_all_operations()]

    problems, counts = [], {}
    for operation in _one_for_each_view(operations):
        counts[operation.label], problem = fuzz(operation, alice)
        problems += [problem] if problem else []

    assert not problems, "\n\n".join(problems)
    assert counts
    assert max(counts.values()) > CASES_AN_OPERATION // 2, counts


def _one_for_each_view(operations: list[APIOperation]) -> list[APIOperation]:
    """Return one operation for each method of each view."""
    found: dict[tuple[object, ...], APIOperation] = {}
    for operation in operations:
        path = re.sub(r"\{\w+_id\}", "00000000-0000-4000-8000-000000000000", operation.path)
        view = resolve(path.replace("{number}", "2").replace("{", "").replace("}", "")).func.view_class
        handler = getattr(view, operation.method.lower())
        found.setdefault((handler, operation.method), operation)
    return list(found.values())


def fuzz(operation: APIOperation, person: Person) -> tuple[int, str]:
    """Send generated valid and invalid requests to one operation (method and route) with the key of `person`.

    Return the number of requests and a text about the first problem. The text is empty if there is no problem.
    """
    count = 0

    def send(case: schemathesis.Case) -> None:
        nonlocal count
        count += 1
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
            continue  # the operation has no field that can be invalid, or none that can be valid
        except (AssertionError, FailureGroup) as error:
            problem = problem or f"{operation.label}: {type(error).__name__} {error}"[:3000]
    return count, problem
