"""Tests that each API has a response for each subclass of MattingError, and that docs/errors.md lists the responses."""

from __future__ import annotations

import itertools
import json

import pytest
from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

import mattingsite.urls  # noqa: F401  imports every module that adds to the tree
from jobs.errors import errors_by_code
from segmentation.errors import MattingError
from tests.api.contracts import Contract, every_contract, published
from tests.api.matching import assert_matches

DOCUMENT = settings.BASE_DIR / "docs" / "errors.md"
CODES = errors_by_code()
NAMES = [contract.name for contract in every_contract()]
DIALECTS = [contract.name for contract in published()]
CONTRACTS = {contract.name: contract for contract in every_contract()}


def every_class(root: type[MattingError] = MattingError) -> list[type[MattingError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in every_class(child))]


def answer(contract: Contract, error: Exception) -> Response:
    """Raise an error inside a view of the API, and return the response of the API."""

    class Failing(contract.view):
        authentication_classes = []
        permission_classes = []

        def get(self, request: Request) -> Response:
            raise error

    response = Failing.as_view()(APIRequestFactory().get("/"))
    response.render()
    return response


def documented() -> dict[str, dict[str, str]]:
    """Return the first table of docs/errors.md as a dict from error code to row.

    A row is a dict from column heading to cell.
    """
    lines = DOCUMENT.read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("| code"))
    table = list(itertools.takewhile(lambda line: line.startswith("|"), lines[start:]))
    heading, _, *rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in table]
    return {row[0]: dict(zip(heading, row, strict=True)) for row in rows}


@pytest.mark.parametrize("name", DIALECTS)
def test_the_table_of_a_dialect_has_every_code_and_no_other(name: str) -> None:
    assert sorted(CONTRACTS[name].errors or ()) == sorted(CODES)


@pytest.mark.parametrize("name", NAMES)
def test_every_code_is_rendered_in_the_envelope_of_the_api(name: str) -> None:
    contract = CONTRACTS[name]

    for code in sorted(set(CODES) - contract.untold):
        error = CODES[code]("The caller may read this.")
        response = answer(contract, error)
        assert_matches(json.loads(response.content), contract.envelope(error), f"{name} {code}")
        assert response["Content-Type"].partition(";")[0] in ("application/json", "application/problem+json")


@pytest.mark.parametrize("name", NAMES)
def test_the_http_status_of_every_code_is_the_documented_one(name: str) -> None:
    contract = CONTRACTS[name]

    statuses = {code: str(answer(contract, CODES[code]()).status_code) for code in CODES}

    documented = {code: contract.written(code).split(",")[0].split(" ")[0] for code in CODES}
    assert statuses == (dict.fromkeys(CODES, "200") if contract.always_200 else documented)


@pytest.mark.parametrize("name", NAMES)
def test_an_error_of_the_caller_is_never_rendered_as_the_servers(name: str) -> None:
    kinds = [kind for kind in every_class() if kind is MattingError or kind.code != "internal"]

    rendered = {kind: answer(CONTRACTS[name], kind()) for kind in kinds}

    assert [kind for kind, one in rendered.items() if one.status_code >= 500 > kind.http_status] == []
    assert all(json.loads(one.content) for one in rendered.values())


@pytest.mark.parametrize("name", [name for name in NAMES if not CONTRACTS[name].always_200])
def test_a_limit_says_when_to_retry_and_a_missing_key_how_to_send_one(name: str) -> None:
    contract = CONTRACTS[name]

    assert int(answer(contract, CODES["rate_limited"]())["Retry-After"]) >= 1
    without_key = answer(contract, CODES["authentication_required"]())
    assert without_key.status_code != 401 or without_key["WWW-Authenticate"] == 'Bearer realm="keyline"'


@pytest.mark.parametrize("name", NAMES)
def test_an_unexpected_error_is_rendered_without_its_message(name: str) -> None:
    assert b"secret" not in answer(CONTRACTS[name], RuntimeError("/srv/keyline/secret")).content


def test_the_documentation_lists_every_code_and_no_other() -> None:
    assert sorted(documented()) == sorted(CODES)


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_place_of_every_code_is_the_rendered_one(name: str) -> None:
    contract, rows = CONTRACTS[name], documented()

    assert {code: rows[code][contract.column] for code in CODES} == {code: contract.written(code) for code in CODES}
