"""Translated names of states, subjects, stages and notes for the pages.

The database and the APIs use the English words, because programs rely on them.
"""

from __future__ import annotations

import datetime as dt
import re

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from jobs.models.team import quality_choices
from jobs.recipes.notes import note_said
from jobs.webhooks.payload import TEST_EVENT

STATUSES: dict[str, Promise] = {
    "queued": _("Waiting"),
    "running": _("Working"),
    "succeeded": _("Done"),
    "failed": _("Failed"),
    "canceled": _("Cancelled"),
}
SUBJECTS: dict[str, Promise] = {"person": _("Person"), "object": _("Object"), "stamp": _("Stamp")}
QUALITIES: dict[str, Promise] = dict(quality_choices())
EVENTS: dict[str, Promise] = {
    "job.succeeded": _("Job finished"),
    "job.failed": _("Job failed"),
    "job.canceled": _("Job cancelled"),
    "image.uncertain": _("Picture needs review"),
    "quota.warning": _("Quota nearly used up"),
    TEST_EVENT: _("Test message"),
}
REASONS: dict[str, Promise] = {
    "quality": _("the quality that was chosen"),
    "certain": _("the fast result is certain"),
    "uncertain": _("the fast result was uncertain"),
    "share": _("enough other pictures went to the fine model"),
    "time": _("the fine model takes too long"),
    "memory": _("the chosen model did not fit into memory"),
    "missing": _("the chosen model was not available"),
    "trial": _("a model under trial"),
}
STAGES: dict[str, Promise] = {
    "queue": _("In the queue"),
    "fetch": _("Fetching"),
    "decode": _("Reading"),
    "model": _("Cutting out"),
    "post": _("Finishing the edges"),
    "encode": _("Writing the files"),
    "other": _("Other"),
    "total": _("Total"),
}
# Notes of decoding, and the reasons for disabled webhooks; numbers are written as %(number)s. The notes of recipes are
# in `jobs.recipes.notes`.
SENTENCES = (
    gettext_noop("multi-page: first page used"),
    gettext_noop("several pictures: the main one used"),
    gettext_noop("animated: first frame used"),
    gettext_noop("animated: first of %(number)s frames used"),
    gettext_noop("rotated: EXIF orientation %(number)s"),
    gettext_noop("depth: %(number)s-bit gray scaled to 8 bits"),
    gettext_noop("depth: %(number)s-bit colour scaled to 8 bits"),
    gettext_noop("cmyk: converted to sRGB"),
    gettext_noop("icc: broken profile ignored"),
    gettext_noop("icc: converted to sRGB"),
    gettext_noop("multi-page: the first page is a reduced copy, the full picture is used"),
    gettext_noop("lab: converted to sRGB"),
    gettext_noop("icc: oversized profile ignored"),
    gettext_noop("icc: profile of an animation ignored"),
    gettext_noop("gamma: converted to sRGB"),
    gettext_noop("cicp: converted to sRGB"),
    gettext_noop("calibrated: converted to sRGB"),
    gettext_noop("calibrated: colours of the header ignored"),
    gettext_noop("hdr: PQ tone-mapped to sRGB"),
    gettext_noop("hdr: HLG tone-mapped to sRGB"),
    gettext_noop("damaged: the missing end of the file was ignored"),
    gettext_noop("damaged: a wrong checksum was ignored"),
    gettext_noop("nothing: no subject was found"),
    gettext_noop("nothing: threshold and erosion removed the whole subject"),
    gettext_noop("person: no person is the subject"),
    gettext_noop("object: nothing but people is the subject"),
    gettext_noop("Switched off by the team."),
    gettext_noop("The receiver answered 410 Gone."),
)
_FIGURE = re.compile(r"(?<=first of )\d+|(?<=orientation )\d+|(?<=depth: )\d+")


def sentence_said(text: str) -> str:
    """Return the translation of a stored English sentence. If there is no translation, return the sentence."""
    figure = _FIGURE.search(text)
    pattern = _FIGURE.sub("%(number)s", text)
    if pattern not in SENTENCES:
        return note_said(text)
    return gettext(pattern) % {"number": figure[0]} if figure else gettext(pattern)


def day_said(day: dt.date) -> str:
    """Return the text of the heading for a day: "Today", "Yesterday", or the date. The text is translated."""
    today = timezone.localdate()
    if day == today:
        return gettext("Today")
    if day == today - dt.timedelta(days=1):
        return gettext("Yesterday")
    return date_format(day, "DATE_FORMAT")


def pixels_said(count: int) -> str:
    """Return a number of pixels as translated text.

    The unit is megapixels; in Chinese, the unit is ten thousand pixels.
    """
    if (get_language() or "").startswith("zh"):
        return f"{count // 10_000} 万像素"
    return gettext("%(count)s megapixels") % {"count": count // 1_000_000}
