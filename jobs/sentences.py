"""Stage 9, rendering: what the codes of the error tree mean, in the reader's language.

The tree's messages are English. A reader of another language gets the meaning of the code in theirs, and behind it the
English particulars; the four published dialects answer in their own words and are not asked here.
"""

from __future__ import annotations

from django.utils.translation import get_language, gettext, gettext_noop

MEANINGS = {
    "authentication_required": gettext_noop("A valid API key is needed."),
    "box_invalid": gettext_noop("A box does not lie on the picture."),
    "canceled": gettext_noop("The job was cancelled."),
    "download_failed": gettext_noop("The picture could not be downloaded."),
    "idempotency_conflict": gettext_noop(
        "Another request of the team has this Idempotency-Key, and may still be running."
    ),
    "image_dimensions": gettext_noop("The picture has too few or too many pixels."),
    "image_missing": gettext_noop("No picture was sent."),
    "image_too_large": gettext_noop("The file is too large."),
    "image_unreadable": gettext_noop("The file is not a picture that can be read."),
    "inference_failed": gettext_noop("The model could not process this picture."),
    "internal": gettext_noop("Something went wrong on our side."),
    "invalid_parameter": gettext_noop("A parameter is out of its range."),
    "job_not_cancelable": gettext_noop("The job has ended and cannot be cancelled."),
    "job_not_found": gettext_noop("There is no such job."),
    "malformed_body": gettext_noop("The request's body cannot be read."),
    "method_not_allowed": gettext_noop("This address does not take that method."),
    "not_acceptable": gettext_noop("None of the types in Accept can be given."),
    "not_found": gettext_noop("There is nothing at this address."),
    "permission_denied": gettext_noop("This key or user may not do that."),
    "queue_unavailable": gettext_noop("The queue cannot be reached, please try again."),
    "quota_exceeded": gettext_noop("The team's quota is used up."),
    "rate_limited": gettext_noop("Too many requests, please slow down."),
    "storage_failed": gettext_noop("The result could not be stored."),
    "timeout": gettext_noop("The result was not ready in time."),
    "too_many_tasks": gettext_noop("Too many tasks are waiting or running."),
    "url_forbidden": gettext_noop("This URL may not be fetched."),
    "url_too_long": gettext_noop("The URL is too long."),
    "worker_lost": gettext_noop("The picture stopped three workers and was given up."),
}


def explained(code: str, message: str) -> str:
    """Give an error's message to be read: as it is in English, elsewhere behind what its code means."""
    meaning = MEANINGS.get(code, "")
    if not meaning or (get_language() or "en").startswith("en"):
        return message
    return gettext(meaning) if message in ("", meaning) else f"{gettext(meaning)} ({message})"
