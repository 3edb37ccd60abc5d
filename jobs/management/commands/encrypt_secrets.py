"""`manage.py encrypt_secrets` encrypts the stored webhook secrets with the current SECRET_KEY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.webhooks.encryption import webhook_secrets_encrypt


class Command(BaseCommand):
    help = "Encrypt stored webhook secrets with the current SECRET_KEY: after an upgrade, and after a key rotation."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = webhook_secrets_encrypt()
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{count} webhooks encrypted; all others already were.")
