"""Tests of the OpenAPI document: it is valid and grouped by API, and the APIs accept its examples."""

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
    """Generate the OpenAPI document and return it; a warning of the generator raises an error."""
    written = StringIO()
    call_command("spectacular", "--format", "openapi-json", "--validate", "--fail-on-warn", stdout=written)
    return json.loads(written.getvalue())


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, item[method]) for path, item in schema()["paths"].items() for method in METHODS if method in item
    ]


def samples() -> list[tuple[str, str, Any]]:
    """Return the example requests that can be sent unchanged, as method, path and JSON."""
    return [
        (method, path, sample["value"])
        for method, path, operation in operations()
        for content_type, content in operation.get("requestBody", {}).get("content", {}).items()
        if content_type == "application/json"
        for sample in content.get("examples", {}).values()
    ]


def test_the_document_that_the_site_serves_is_the_valid_one(client: Client) -> None:
    assert client.get("/openapi.json").json()["paths"].keys() == schema()["paths"].keys()


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png", "application/json;q=0", "?"])
def test_the_document_and_its_page_are_sent_whatever_is_accepted(client: Client, db: None, accept: str) -> None:
    document = client.get("/openapi.json", headers={"Accept": accept})
    page = client.get("/docs", headers={"Accept": accept})

    assert (document.status_code, page.status_code) == (200, 200)
    assert document.json()["openapi"]
    assert b"swagger-ui" in page.content


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


def test_health_keys_states_and_headers_are_described() -> None:
    document = schema()
    submit = document["paths"]["/api/jobs/"]["post"]
    accepted = set(submit["responses"]["202"]["headers"])
    refused = set(submit["responses"]["4XX"]["headers"])

    assert {"/health", "/health/live", "/health/ready"} <= set(document["paths"])
    assert document["components"]["securitySchemes"]["keyHeader"]["name"] == "X-API-KEY"
    assert [one for one in submit["security"] if set(one) & {"key", "keyHeader"}] == [{"key": []}, {"keyHeader": []}]
    assert accepted == {"X-Request-Id", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed", "Location"}
    assert refused == {"X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After"}
    assert "Link" in document["paths"]["/api/jobs/"]["get"]["responses"]["200"]["headers"]
    assert document["components"]["schemas"]["Job"]["properties"]["status"]["enum"][0] == "queued"


def test_health_answers_what_the_document_says(client: Client, db: None) -> None:
    described = schema()["components"]["schemas"]["Health"]["properties"]

    for path in ("/health", "/health/ready", "/health/live"):
        assert set(client.get(path).json()) <= set(described), path


def test_forms_and_json_have_schemas_of_their_own() -> None:
    content = schema()["paths"]["/api/jobs/"]["post"]["requestBody"]["content"]
    form, plain = (content[kind]["schema"]["$ref"] for kind in ("multipart/form-data", "application/json"))

    assert form != plain
    properties = schema()["components"]["schemas"]
    assert properties[form.rpartition("/")[2]]["properties"]["image"]["items"]["format"] == "binary"
    assert "image" not in properties[plain.rpartition("/")[2]]["properties"]
