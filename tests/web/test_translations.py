"""Every text of the site is translated to Chinese, and the compiled file is up to date."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import polib
from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "locale" / "zh_Hans" / "LC_MESSAGES"
_TRANS = re.compile(r"""{%\s*trans\s+(?:"([^"]+)"|'([^']+)')""")


def test_no_sentence_is_left_untranslated():
    catalogue = polib.pofile(str(FOLDER / "django.po"))

    assert [entry.msgid for entry in catalogue.untranslated_entries() + catalogue.fuzzy_entries()] == []


def test_every_sentence_of_the_templates_is_in_the_catalogue():
    known = {entry.msgid for entry in polib.pofile(str(FOLDER / "django.po"))}

    used = {
        first or second
        for template in Path(settings.BASE_DIR, "templates").rglob("*.html")
        for first, second in _TRANS.findall(template.read_text())
    }

    assert used - known == set()


def test_the_compiled_catalogue_is_in_step():
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for entry in polib.pofile(str(FOLDER / "django.po")):
        if not entry.msgid_plural:
            assert compiled.gettext(entry.msgid) == entry.msgstr


def test_placeholders_survive_translation():
    pattern = re.compile(r"%\(\w+\)s|%d|{\w+}")

    for entry in polib.pofile(str(FOLDER / "django.po")):
        expected = set(pattern.findall(entry.msgid_plural or entry.msgid))
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            assert set(pattern.findall(text)) == expected, text
