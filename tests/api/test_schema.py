"""OpenAPI document: valid, grouped by API, with examples that the APIs accept."""

from __future__ import annotations

import json
from functools import cache
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.cast import Person

METHODS = ("get", "post", "put", "patch", "delete")


@cache
def schema() -> dict[str, Any]:
    """Return the generated document; any warning of the generator is an error."""
    written = StringIO()
    call_command("spectacular", "--format", "openapi-json", "--validate", "--fail-on-warn", stdout=written)
    return json.loads(written.getvalue())


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, item[method]) for path, item in schema()["paths"].items() for method in METHODS if method in item
    ]


def samples() -> list[tuple[str, str, Any]]:
    """Return the example requests that can be sent unchanged: method, path, JSON."""
    return [
        (method, path, sample["value"])
        for method, path, operation in operations()
        for content_type, content in operation.get("requestBody", {}).get("content", {}).items()
        if content_type == "application/json"
        for sample in content.get("examples", {}).values()
    ]


def test_the_document_that_the_site_serves_is_the_valid_one(client: Client) -> None:
    assert client.get("/openapi.json").json()["paths"].keys() == schema()["paths"].keys()


def test_a_strict_validator_accepts_the_document() -> None:
    assert [error.message for error in OpenAPIV30SpecValidator(schema()).iter_errors()] == []


def test_every_operation_belongs_to_one_api_and_has_a_summary() -> None:
    for method, path, operation in operations():
        assert len(operation["tags"]) == 1, f"{method} {path}"
        assert operation.get("summary"), f"{method} {path}"


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(names) == len(set(names))


@pytest.mark.usefixtures("instant_worker")
def test_the_samples_are_taken(alice: Person) -> None:
    # The examples of the other APIs name folders and jobs that must exist.
    for method, path, body in [sample for sample in samples() if sample[1].startswith(("/rest/", "/api/v1/"))]:
        answer = alice.api().generic(
            method.upper(), path, json.dumps(body), "application/json", headers={"X-DashScope-Async": "enable"}
        )

        assert answer.status_code < 300, f"{method} {path}: {answer.content}"
        assert "error_code" not in answer.json(), path
