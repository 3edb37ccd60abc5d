"""Translate the public messages of MattingError and its subclasses.

Error messages are English. In another language, the response contains the translated sentence of the error code,
followed by the English details. The emulated vendor APIs always respond in English and do not use this module.
"""

from __future__ import annotations

from django.utils.translation import get_language, gettext

from jobs.errors import errors_by_code


def explained(code: str, message: str) -> str:
    """Return the message of an error in the active language.

    In a language other than English, the translated sentence of the error code comes first and the English message
    follows.
    """
    kind = errors_by_code().get(code)
    if kind is None or (get_language() or "en").startswith("en"):
        return message
    sentence = kind.public_message
    if message in ("", sentence):
        return gettext(sentence)
    return gettext("%(sentence)s (%(details)s)") % {"sentence": gettext(sentence), "details": message}
