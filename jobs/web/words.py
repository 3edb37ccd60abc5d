"""Stage 9, rendering: names of states, subjects, stages and notes, in the reader's language.

They are stored and sent as plain English words that programs rely on; only pages for people ask here.
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
# What decoding may note of a picture, and why a webhook may be off; figures stand as %(number)s.
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
    gettext_noop("nothing: no subject was found"),
    gettext_noop("person: no person is the subject"),
    gettext_noop("object: nothing but people is the subject"),
    gettext_noop("Switched off by the team."),
    gettext_noop("The receiver answered 410 Gone."),
)
_FIGURE = re.compile(r"(?<=first of )\d+|(?<=orientation )\d+")


def sentence_said(text: str) -> str:
    """Give one of the stored sentences; one that is not known stays as it is."""
    figure = _FIGURE.search(text)
    pattern = _FIGURE.sub("%(number)s", text)
    if pattern not in SENTENCES:
        return text
    return gettext(pattern) % {"number": figure[0]} if figure else gettext(pattern)
