"""Translate the public messages of MattingError and its subclasses.

Error messages are English. In another language, the response contains the translated sentence of the error code,
followed by the English details. The emulated vendor APIs always respond in English and do not use this module.
"""

from __future__ import annotations

from django.utils.translation import get_language, gettext

from jobs.errors import errors_by_code
from segmentation.errors import MattingError


def explained(code: str, message: str) -> str:
    """Return the message of an error in the active language.

    In a language other than English, the translated sentence of the error code comes first and the English message
    follows.
    """
    kind = errors_by_code().get(code)
    return message if kind is None else _explained(kind.public_message, message)


def explained_error(error: MattingError) -> str:
    """Return an error's message, as `explained` does. The sentence is that of the error's own class."""
    return _explained(error.public_message, error.message)


def _explained(sentence: str, message: str) -> str:
    if (get_language() or "en").startswith("en"):
        return message
    if message in ("", sentence):
        return gettext(sentence)
    if message in _public_messages():
        return gettext(message)
    return gettext("%(sentence)s (%(details)s)") % {"sentence": gettext(sentence), "details": message}


def _public_messages() -> set[str]:
    """Return the public messages of all error classes; a message that is stored with a code may be any of them."""
    kinds: list[type[MattingError]] = [MattingError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.public_message for kind in kinds}
