"""Errors in the reader's language."""

from __future__ import annotations

import json

import pytest
from django.utils import translation

from jobs.errors import error_kinds
from jobs.sentences import MEANINGS, explained
from tests.cast import Person

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}


def test_every_code_of_the_tree_has_a_meaning_and_no_other():
    assert sorted(MEANINGS) == [kind.code for kind in error_kinds()]


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_every_meaning_is_said_in_chinese(code: str):
    with translation.override("zh-hans"):
        said = explained(code, MEANINGS[code])

    assert said != MEANINGS[code]
    assert "(" not in said


def test_particulars_stand_behind_the_meaning():
    with translation.override("zh-hans"):
        assert explained("url_forbidden", "10.0.0.1 is private") == "不允许获取此网址。 (10.0.0.1 is private)"


def test_english_is_left_as_it_is():
    with translation.override("en"):
        assert explained("url_forbidden", "10.0.0.1 is private") == "10.0.0.1 is private"


def test_the_native_api_answers_in_the_language_that_is_asked_for(alice: Person):
    plain, chinese = (alice.api().get(f"/api/jobs/{alice.team.pk}/", headers=head) for head in ({}, CHINESE))

    assert plain.json()["detail"] == "There is no such job."
    assert chinese.json()["detail"] == "没有这个任务。"
    assert (plain.json()["code"], chinese.json()["code"]) == ("job_not_found", "job_not_found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/oauth/2.0/token", None),
        ("post", "/rest/2.0/image-process/v1/segment", {"image": "eA==", "method": "magic"}),
        ("get", "/api/v1/tasks?page_no=0", None),
        ("post", "/task/pic/segmentation", {"image_base64": "eA==", "crop": 5}),
        ("post", "/api/matting/batch", {"input_dir": "a", "output_dir": "b", "alpha_threshold": 51}),
    ],
)
def test_a_published_dialect_answers_in_its_own_words_whatever_is_asked_for(
    alice: Person, method: str, path: str, body: dict | None
):
    plain, chinese = (
        alice.api().generic(method.upper(), path, json.dumps(body), "application/json", headers=head)
        for head in ({}, CHINESE)
    )

    # Two requests have two names, and nothing else to tell them apart.
    said = [{**answer.json(), "log_id": "", "request_id": ""} for answer in (plain, chinese)]
    assert said[0] == said[1]
    assert chinese["Content-Language"] == "en"
