"""Encryption of stored webhook secrets with the current key.

This is needed after an upgrade from version 1.0.0 and after a change of SECRET_KEY.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from jobs.models import Webhook
from jobs.models.encrypted import decrypted, is_current


def webhook_secrets_encrypt() -> int:
    """Encrypt the secrets that are stored as plain text or with an earlier key; return the number of changed webhooks.

    Raise ValueError and change nothing if a secret cannot be decrypted with any known key.
    """
    with transaction.atomic():
        stored = _stored()
        outdated = {pk for pk, values in stored.items() if not all(is_current(value) for value in values)}
        unreadable = [pk for pk in outdated if any(value and not decrypted(value) for value in stored[pk])]
        if unreadable:
            raise ValueError(f"{len(unreadable)} webhook secrets cannot be read; set SECRET_KEY_FALLBACKS")
        for webhook in Webhook.objects.select_for_update().filter(pk__in=outdated):
            webhook.save(update_fields=["secret", "previous_secret"])
    return len(outdated)


def _stored() -> dict[UUID, tuple[str, str]]:
    """Return the raw values of the columns `secret` and `previous_secret`, by primary key."""
    table, pk = Webhook._meta.db_table, Webhook._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, secret, previous_secret FROM {table}")  # noqa: S608  a constant name
        return {pk.to_python(row[0]): (row[1], row[2]) for row in cursor.fetchall()}
