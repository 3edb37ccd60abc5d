"""Contracts of the APIs, for the tests that run for every API.

A dialect is an API that imitates another service. Its contract is the module tests/api/<dialect>/contract.py, which
defines:

    VIEW        the base class of the dialect's views
    COLUMN      the heading of the dialect's column in docs/errors.md
    envelope    function: returns the expected JSON of an error
    written     function: returns the cell of docs/errors.md for an error code
    REFUSED     a request that the dialect rejects: method, path, JSON
    SUBMISSIONS requests that submit a photo, one for each way to submit
    SERIALIZERS the serializers whose fields the dialect's documentation page describes
    ROUTES      for each route: "public" if it shows no data of a team, "own" if it shows only objects of the caller's
                team, or, if its URL names one object, a dict from the URL parameter to the object
    UNTOLD      optional: error codes that the dialect does not report
    ALWAYS_200  optional: True if all errors have the HTTP status 200
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest
from rest_framework.serializers import Serializer

from jobs.api import registry
from jobs.api.base import DialectView
from jobs.api.native.base import NativeView
from jobs.errors import errors_by_code
from segmentation.errors import MattingError


@dataclass(frozen=True)
class Submission:
    """A request that submits a photo in one of four ways: `file`, `base64`, `body` or `query`. Only one of them is set.

    file: the name of the form field for the file.
    base64: the name of the form field for the photo as base64.
    body: a function that returns the JSON body for a photo's URL.
    query: a function that returns the query of a GET request for a photo's URL.
    another: additional fields. With these fields, the request counts as a different request.
    """

    path: str
    file: str = ""
    base64: str = ""
    body: Callable[[str], dict[str, Any]] | None = None
    query: Callable[[str], dict[str, Any]] | None = None
    another: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contract:
    """The contract of one API. The module docstring explains its fields."""

    name: str
    view: type[DialectView]
    column: str
    envelope: Callable[[MattingError], dict[str, Any]]
    written: Callable[[str], str]
    errors: dict[str, Any] | None = None
    refused: tuple[str, str, Any] | None = None
    submissions: tuple[Submission, ...] = ()
    serializers: tuple[type[Serializer], ...] = ()
    routes: dict[str, Any] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    always_200: bool = False

    @property
    def codes(self) -> list[str]:
        """Return the sorted codes of the errors that the API can report."""
        return sorted(self.errors or errors_by_code())


def native() -> Contract:
    return Contract(
        name="native",
        view=NativeView,
        column="Native",
        envelope=lambda error: {
            "type": f"/docs/errors#{error.code}",
            "title": "<text>",
            "status": error.http_status,
            "detail": error.message,
            "code": error.code,
            "field": error.field or None,
            **({"scope": error.scope} if getattr(error, "scope", "") else {}),
            "request_id": "<uuid>",
        },
        written=lambda code: str(errors_by_code()[code].http_status),
        submissions=(
            Submission("/api/jobs/", file="image", another={"threshold": 20}),
            Submission("/api/jobs/?wait=60", body=lambda url: {"image_url": url}, another={"crop": True}),
            Submission("/api/jobs/", file="image", another={"erosion": 2}, headers={"Accept": "image/webp"}),
        ),
    )


def published() -> list[Contract]:
    """Return the contracts of all registered dialects (the APIs that imitate other services)."""
    return [_contract(dialect.name) for dialect in registry.dialects()]


def every_contract() -> list[Contract]:
    return [native(), *published()]


def _contract(name: str) -> Contract:
    module = import_module(f"tests.api.{name}.contract")
    return Contract(
        name=name,
        view=module.VIEW,
        column=module.COLUMN,
        envelope=module.envelope,
        written=module.written,
        errors=import_module(f"jobs.api.{name}.render").ERRORS,
        refused=module.REFUSED,
        submissions=module.SUBMISSIONS,
        serializers=module.SERIALIZERS,
        routes=module.ROUTES,
        untold=frozenset(getattr(module, "UNTOLD", ())),
        always_200=getattr(module, "ALWAYS_200", False),
    )


def needs(*names: str) -> pytest.MarkDecorator:
    """Return a pytest mark that skips a test if one of the APIs with these names does not exist."""
    missing = sorted(set(names) - {dialect.name for dialect in registry.dialects()})
    return pytest.mark.skipif(bool(missing), reason=f"no dialect {', '.join(missing)}")
