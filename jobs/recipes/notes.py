"""Translate the notes on finished pictures. A note says which rule a picture breaks or which size was not reached.

The database and the APIs contain the English notes, because programs rely on their text.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import gettext, gettext_noop

# The sentences of `segmentation.finish.checks` and `segmentation.finish.placing`, with names for their values.
SENTENCES = (
    gettext_noop("The subject fills %(share)s of the picture, but at least %(limit)s is required."),
    gettext_noop("The subject fills %(share)s of the picture, but at most %(limit)s is allowed."),
    gettext_noop("The longer side has %(side)s pixels, but at least %(limit)s are required."),
    gettext_noop("The shorter side has %(side)s pixels, but at least %(limit)s are required."),
    gettext_noop("The longer side has %(side)s pixels, but at most %(limit)s are allowed."),
    gettext_noop("The picture is %(width)s x %(height)s, but %(aspect)s is required."),
    gettext_noop("The picture has a shadow or reflection, which is not allowed."),
    gettext_noop("The picture is transparent, but a background is required."),
    gettext_noop("The background is not %(color)s all round the subject."),
    gettext_noop("The file is %(format)s, but only %(formats)s is allowed."),
    gettext_noop("The %(format)s has %(bytes)s bytes, less than %(limit)s."),
    gettext_noop("The %(format)s has %(bytes)s bytes, more than %(limit)s."),
    gettext_noop("placement: max_enlargement is reached, so the subject fills less than the recipe says"),
    gettext_noop("placement: max_enlargement is reached, so the head is smaller than the recipe says"),
)
_VALUE = re.compile(r"%\\\((\w+)\\\)s")  # a named value in a sentence that went through re.escape
_OF_RECIPE = re.compile(r"recipe (?P<name>[a-z0-9-]+): (?P<note>.+)", re.DOTALL)


def note_said(note: str) -> str:
    """Return a note in the user's language. An unknown note is returned in English."""
    if of_recipe := _OF_RECIPE.fullmatch(note):
        return gettext("recipe %(name)s: %(note)s") % {"name": of_recipe["name"], "note": note_said(of_recipe["note"])}
    for sentence, pattern in _patterns():
        if found := pattern.fullmatch(note):
            return gettext(sentence) % found.groupdict()
    return note


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each sentence with a regular expression that matches the sentence and extracts its values."""
    return tuple((sentence, re.compile(_VALUE.sub(r"(?P<\1>.+?)", re.escape(sentence)))) for sentence in SENTENCES)
