"""Translation of the public messages of MattingError and its subclasses.

The messages of errors are English. In another language, the response contains the translated sentence of the code,
followed by the English details. The published dialects respond in English and do not use this module.
"""

from __future__ import annotations

from django.utils.translation import get_language, gettext

from jobs.errors import errors_by_code


def explained(code: str, message: str) -> str:
    """Return an error's message. In a language other than English, the code's translated sentence comes first."""
    kind = errors_by_code().get(code)
    if kind is None or (get_language() or "en").startswith("en"):
        return message
    sentence = kind.public_message
    if message in ("", sentence):
        return gettext(sentence)
    return gettext("%(sentence)s (%(details)s)") % {"sentence": gettext(sentence), "details": message}
