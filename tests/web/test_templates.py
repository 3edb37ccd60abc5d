"""Tests that templates have no long lines, and do not pass texts to scripts in attributes."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))
MAX_LINE = 140


def test_no_line_of_a_template_is_longer_than_140_characters():
    long = [
        f"{path.name}:{number}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MAX_LINE
    ]

    assert long == []


def test_no_template_hands_texts_to_a_script_in_attributes():
    assert [path.name for path in TEMPLATES if "data-text" in path.read_text()] == []
