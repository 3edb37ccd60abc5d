"""Tests that docs/api-dashscope.md agrees with the code."""

from __future__ import annotations

import json
import re

from django.conf import settings

from jobs.api.dashscope import urls
from jobs.api.dashscope.render import TASK_STATUS, UNKNOWN
from tests.api.matching import fixture

DOCUMENT = (settings.BASE_DIR / "docs" / "api-dashscope.md").read_text()
SAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.+?)```", DOCUMENT, re.DOTALL)]


def test_every_status_is_documented() -> None:
    documented = re.findall(r"^\| `([A-Z]+)` \|", DOCUMENT, re.MULTILINE)

    assert sorted(documented) == sorted([*TASK_STATUS.values(), UNKNOWN])


def test_the_samples_have_the_answers_keys() -> None:
    submitted, succeeded, refused = SAMPLES
    expected = fixture("dashscope/tasks.json")

    assert set(submitted["output"]) == set(expected["submit"]["answer"]["output"])
    assert set(succeeded["output"]) == set(expected["SUCCEEDED"]["output"])
    assert set(succeeded["output"]["instances"][0]) == set(expected["SUCCEEDED"]["output"]["instances"][0])
    assert set(refused) == set(fixture("dashscope/errors.json")["answer"])


def test_every_route_is_documented() -> None:
    for entry in [entry for entry in urls.urlpatterns if entry.name != "dashscope-nothing"]:
        route = str(entry.pattern).replace("<str:task_id>", "{task_id}")
        last = route.removeprefix("api/v1/services/aigc").removesuffix("/files")
        assert last in DOCUMENT, route
