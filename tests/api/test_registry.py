"""Tests of the registry of dialects (the APIs that imitate other services).

The site's API choices and the OpenAPI document must contain exactly the registered dialects and the native API.
"""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

from jobs.api import registry
from jobs.models.dialects import dialect_choices, dialect_names
from tests.api.contracts import Contract, published
from tests.cast import Person

FOLDER = Path(registry.__file__).parent


def test_every_folder_with_a_dialect_module_is_registered_and_no_other() -> None:
    folders = sorted(path.parent.name for path in FOLDER.glob("*/dialect.py"))

    assert [dialect.name for dialect in registry.dialects()] == folders
    assert dialect_names() == ["native", *folders, "web", "command"]
    assert len(dialect_choices()) == len(folders) + 3


def test_the_openapi_document_describes_the_registered_dialects_and_the_native_api() -> None:
    document = SchemaGenerator().get_schema(request=None, public=True)
    tags = {tag for item in document["paths"].values() for operation in item.values() for tag in operation["tags"]}

    assert tags == {"Health", "Native", *(str(dialect.label) for dialect in registry.dialects())}


@pytest.mark.django_db
def test_the_site_passes_its_checks_and_needs_no_migration() -> None:
    call_command("check", stdout=StringIO())
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


@pytest.mark.parametrize("contract", published(), ids=lambda contract: contract.name)
def test_a_dialect_answers_in_english_whatever_language_is_asked_for(alice: Person, contract: Contract) -> None:
    method, path, body = contract.refused or ("", "", None)
    client = alice.api()

    plain = client.generic(method.upper(), path, json.dumps(body), "application/json")
    chinese = client.generic(
        method.upper(), path, json.dumps(body), "application/json", headers={"Accept-Language": "zh-CN,zh;q=0.9"}
    )

    # The two requests differ only in their ids.
    said = [{**answer.json(), "log_id": "", "request_id": ""} for answer in (plain, chinese)]
    assert said[0] == said[1]
    assert chinese["Content-Language"] == "en"
