"""Tests that error messages are shown in the user's language."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext

from jobs.errors import LinkExpired, error_kinds
from jobs.sentences import explained, explained_error
from segmentation.errors import MattingError
from tests.cast import Person

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}


def test_every_sentence_of_the_tree_is_translated():
    with translation.override("zh-hans"):
        translated = {kind.code: explained(kind.code, kind.public_message) for kind in error_kinds()}

    unchanged = [kind.code for kind in error_kinds() if translated[kind.code] == kind.public_message]
    assert unchanged == []
    assert [code for code, sentence in translated.items() if "(" in sentence] == []


def test_every_sentence_of_the_native_api_is_translated():
    """The published dialects respond in English, so their own errors have no translation."""
    kinds: list[type[MattingError]] = [MattingError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    own = {kind.public_message for kind in kinds if kind.__module__.split(".")[:2] != ["jobs", "api"]}

    for language in ("de", "zh-hans"):
        with translation.override(language):
            assert {sentence for sentence in own if gettext(sentence) == sentence} == set(), language


def test_the_sentence_is_that_of_the_errors_own_class():
    with translation.override("de"):
        assert explained_error(LinkExpired()) == "Der Link ist abgelaufen."
        assert explained_error(LinkExpired("ask again")) == "Der Link ist abgelaufen. (ask again)"
        assert explained("permission_denied", LinkExpired.public_message) == "Der Link ist abgelaufen."


def test_details_follow_the_translated_sentence():
    with translation.override("zh-hans"):
        assert explained("url_forbidden", "10.0.0.1 is private") == "不允许获取此网址。（10.0.0.1 is private）"


def test_english_is_left_as_it_is():
    with translation.override("en"):
        assert explained("url_forbidden", "10.0.0.1 is private") == "10.0.0.1 is private"


def test_the_native_api_answers_in_the_language_that_is_asked_for(alice: Person):
    plain, chinese = (alice.api().get(f"/api/jobs/{alice.team.pk}/", headers=head) for head in ({}, CHINESE))

    assert plain.json()["detail"] == "There is no such job."
    assert chinese.json()["detail"] == "没有这个任务。"
    assert (plain.json()["code"], chinese.json()["code"]) == ("job_not_found", "job_not_found")
