"""Tests that all texts of the site are translated into each language, and that the compiled catalogues are current."""

from __future__ import annotations

import datetime as dt
import gettext
import re
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import to_locale

from jobs.web.words import pixels_said

ROOT = Path(settings.BASE_DIR)
FOLDERS = sorted((ROOT / "locale").glob("*/LC_MESSAGES"))
CHINESE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
DOMAINS = ("django", "djangojs")
CATALOGUES = [folder / name for folder in FOLDERS for name in DOMAINS]
_TRANS = re.compile(r"""{%\s*trans\s+(?:"([^"]+)"|'([^']+)')""")
_GETTEXT = re.compile(r"""\bn?gettext\(\s*"([^"]+)"(?:,\s*"([^"]+)")?""")


def entries_of(catalogue: Path) -> polib.POFile:
    return polib.pofile(f"{catalogue}.po")


def ids_of(catalogue: Path) -> set[str]:
    entries = entries_of(catalogue)
    return {text for entry in entries for text in (entry.msgid, entry.msgid_plural) if text}


def test_every_language_that_is_offered_but_english_has_its_catalogues():
    offered = {to_locale(code) for code, _name in settings.LANGUAGES} - {"en"}

    assert {folder.parent.name for folder in FOLDERS} == offered


@pytest.mark.parametrize("name", CATALOGUES, ids=str)
def test_no_text_is_left_untranslated(name: Path):
    catalogue = entries_of(name)

    assert [entry.msgid for entry in catalogue.untranslated_entries() + catalogue.fuzzy_entries()] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_all_languages_have_the_same_texts(domain: str):
    texts = [ids_of(folder / domain) for folder in FOLDERS]

    assert all(one == texts[0] for one in texts)


def test_every_text_of_the_templates_is_in_the_catalogue():
    used = {
        first or second
        for template in (ROOT / "templates").rglob("*.html")
        for first, second in _TRANS.findall(template.read_text())
    }

    assert used - ids_of(CHINESE / "django") == set()


def test_the_catalogue_of_the_scripts_has_their_texts_and_no_others():
    used = {
        text
        for script in (ROOT / "static" / "js").rglob("*.js")
        for texts in _GETTEXT.findall(script.read_text())
        for text in texts
        if text
    }

    assert used == ids_of(CHINESE / "djangojs")


@pytest.mark.parametrize("name", CATALOGUES, ids=str)
def test_the_compiled_catalogue_is_up_to_date(name: Path):
    with name.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for entry in entries_of(name):
        if not entry.msgid_plural:
            assert compiled.gettext(entry.msgid) == entry.msgstr


@pytest.mark.parametrize("name", CATALOGUES, ids=str)
def test_placeholders_survive_translation(name: Path):
    pattern = re.compile(r"%\(\w+\)s|%d|{\w+}")

    for entry in entries_of(name):
        expected = set(pattern.findall(entry.msgid_plural or entry.msgid))
        *singular, last = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        assert set(pattern.findall(last)) == expected, last
        assert all(set(pattern.findall(text)) <= expected for text in singular), entry.msgid


@pytest.mark.parametrize("name", DOMAINS)
def test_chinese_punctuation_is_full_width(name: str):
    half_width = re.compile(r"[\u4e00-\u9fff）][,;:!?](?!//)|[,;:!?(][\u4e00-\u9fff]|[\u4e00-\u9fff]\(")

    faults = [
        text
        for entry in entries_of(CHINESE / name)
        for text in (entry.msgstr, *entry.msgstr_plural.values())
        if half_width.search(text)
    ]

    assert faults == []


def test_chinese_readers_are_told_of_ten_thousands_of_pixels():
    with translation.override("zh-hans"):
        assert pixels_said(50_000_000) == "5000 万像素"
    assert pixels_said(50_000_000) == "50 megapixels"


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@pytest.mark.parametrize("name", ["TIME_FORMAT", "DATE_FORMAT", "DATETIME_FORMAT", "SHORT_DATE_FORMAT"])
def test_a_time_at_the_end_of_a_sentence_brings_no_full_stop(language: str, name: str):
    times = [dt.datetime(2026, 5, 3, hour, tzinfo=dt.UTC) for hour in (0, 9, 12, 21)]

    with translation.override(language):
        assert not [text for text in (date_format(time, name) for time in times) if text.endswith(".")]


def test_the_scripts_get_their_texts_in_the_readers_language(client):
    english, chinese = (
        client.get("/texts.js", headers={"Accept-Language": language}) for language in ("en", "zh-CN,zh;q=0.9")
    )

    assert "Cutting out" not in english.content.decode()  # the scripts contain the English texts
    assert "\\u6b63\\u5728\\u62a0\\u56fe" in chinese.content.decode() or "正在抠图" in chinese.content.decode()
    unchanged = client.get("/texts.js", headers={"Accept-Language": "zh-CN", "If-None-Match": chinese["ETag"]})
    assert unchanged.status_code == 304
