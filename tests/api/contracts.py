"""Contracts of the dialects: each tests/api/<dialect>/contract.py describes its dialect for the shared tests.

A contract module defines:

VIEW        its base view
COLUMN      its heading in docs/errors.md
envelope    function: error to the expected JSON
written     function: code to its cell in docs/errors.md
REFUSED     a request that it rejects: method, path, JSON
SUBMISSIONS requests that submit a photo, one for each way
SERIALIZERS what its page of the documentation describes field by field
ROUTES      how each route separates teams: "public", "own", or the parts of the URL that name a team's job
UNTOLD      optional: codes that have no error envelope
ALWAYS_200  optional: the HTTP status of every error is 200
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
    """A request that submits a photo.

    file: the form's field for the file. base64: the form's field for the photo as base64. body: builds the JSON from
    the photo's URL. query: builds the query of a GET from this URL. another: fields that make the request a different
    one.
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
    """The contract of one API."""

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
        """Return the codes of the errors that the API can report."""
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
    """Return the contract of every registered dialect."""
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
    """Skip a test of several APIs when the folder of one of them has been deleted."""
    missing = sorted(set(names) - {dialect.name for dialect in registry.dialects()})
    return pytest.mark.skipif(bool(missing), reason=f"no dialect {', '.join(missing)}")
