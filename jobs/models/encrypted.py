"""A text column that is encrypted with the site's secret key.

So a copy of the database without the key does not reveal the secrets.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression

logger = logging.getLogger(__name__)

_PREFIX = "encrypted:"
_PURPOSE = b"keyline.encrypted-column:"


class EncryptedCharField(models.CharField):
    """Text column that encrypts values when they are written and decrypts them when they are read.

    The encryption (Fernet) uses SECRET_KEY; decryption also tries SECRET_KEY_FALLBACKS. A plain value that an earlier
    version of the site has stored is returned unchanged. If no key can decrypt a value, the column logs an error and
    returns an empty text.
    """

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return text if not text else _PREFIX + _cipher().encrypt(text.encode()).decode()

    def from_db_value(self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper) -> str | None:
        return None if value is None else decrypted(value)


def decrypted(value: str) -> str:
    """Return the plain text of a stored value, or an empty text if no key can decrypt the value."""
    if not value.startswith(_PREFIX):
        return value
    try:
        return _cipher().decrypt(value.removeprefix(_PREFIX)).decode()
    except InvalidToken:
        logger.error("an encrypted value cannot be read: it was written with a SECRET_KEY that is not known any more")
        return ""


def is_current(value: str) -> bool:
    """Return whether a stored value is empty or encrypted with the current SECRET_KEY."""
    if not value:
        return True
    if not value.startswith(_PREFIX):
        return False
    try:
        Fernet(_fernet_key(settings.SECRET_KEY)).decrypt(value.removeprefix(_PREFIX))
    except InvalidToken:
        return False
    return True


def _cipher() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_fernet_key(key)) for key in keys])


def _fernet_key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + secret.encode()).digest())
