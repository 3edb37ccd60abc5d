"""Tests that docs/api-baidu.md agrees with the code."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings

from jobs.api.baidu.render import ERRORS, MESSAGES
from jobs.api.baidu.serializers import BaiduSegmentSerializer
from tests.api.matching import fixture

DOCUMENT = (settings.BASE_DIR / "docs" / "api-baidu.md").read_text()


def test_every_error_code_is_documented_with_its_message() -> None:
    documented = {
        int(code): words for code, words in re.findall(r"^\| (\d+) \| (.+?) \| .*\|$", DOCUMENT, re.MULTILINE)
    }

    assert documented == MESSAGES
    assert set(ERRORS.values()) <= set(MESSAGES)


def test_every_field_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE))

    assert set(BaiduSegmentSerializer().fields) <= documented


@pytest.mark.parametrize("block", re.findall(r"```json\n(.+?)```", DOCUMENT, re.DOTALL))
def test_the_samples_have_the_answers_keys(block: str) -> None:
    answers = [
        fixture("baidu/token.json")["answer"],
        fixture("baidu/segment.json")["answer"],
        {"error_code": 0, "error_msg": "", "log_id": ""},
    ]

    assert set(json.loads(block)) in [set(answer) for answer in answers]
