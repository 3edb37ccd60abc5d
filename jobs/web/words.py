"""Translated names of states, subjects, stages and notes, for the pages.

The database and the APIs use the English words, on which programs rely.
"""

from __future__ import annotations

import re

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

STATUSES: dict[str, Promise] = {
    "queued": _("Waiting"),
    "running": _("Working"),
    "succeeded": _("Done"),
    "failed": _("Failed"),
    "canceled": _("Cancelled"),
}
SUBJECTS: dict[str, Promise] = {"person": _("Person"), "object": _("Thing"), "stamp": _("Stamp")}
STAGES: dict[str, Promise] = {
    "queue": _("In the queue"),
    "fetch": _("Fetching"),
    "decode": _("Reading"),
    "model": _("Cutting out"),
    "post": _("Finishing the edges"),
    "encode": _("Writing the files"),
    "total": _("In all"),
}
# Notes of decoding, and the reasons of disabled webhooks; numbers are written %(number)s.
SENTENCES = (
    gettext_noop("multi-page: first page used"),
    gettext_noop("several pictures: the main one used"),
    gettext_noop("animated: first frame used"),
    gettext_noop("animated: first of %(number)s frames used"),
    gettext_noop("rotated: EXIF orientation %(number)s"),
    gettext_noop("depth: 16-bit gray scaled to 8 bits"),
    gettext_noop("cmyk: converted to sRGB"),
    gettext_noop("icc: broken profile ignored"),
    gettext_noop("icc: converted to sRGB"),
    gettext_noop("Switched off by the team."),
    gettext_noop("The receiver answered 410 Gone."),
)
_FIGURE = re.compile(r"(?<=first of )\d+|(?<=orientation )\d+")


def sentence_said(text: str) -> str:
    """Return a stored sentence in the reader's language; an unknown one is returned unchanged."""
    figure = _FIGURE.search(text)
    pattern = _FIGURE.sub("%(number)s", text)
    if pattern not in SENTENCES:
        return text
    return gettext(pattern) % {"number": figure[0]} if figure else gettext(pattern)
