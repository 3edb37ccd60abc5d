"""`manage.py setup` prepares the database, the static files and the first account, without starting the site."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.running import checks, first_start
from jobs.running.first_start import CannotStart, FirstSecrets


class Command(BaseCommand):
    requires_system_checks = [checks.TAG]
    help = "Prepare the data folder, the database, the static files and the first account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait for the database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            first_start.folder_require(settings.DATA_DIR)
            first_start.database_wait(timeout_s=options["wait"])
            first_start.storage_require()
            first_start.database_migrate()
        except CannotStart as error:
            raise CommandError(f"Keyline cannot be set up: {error}") from None
        first_start.static_files_collect()
        made = first_start.first_account_create()
        self.stdout.write(secrets_text(made) if made else "Everything is up to date.")


def secrets_text(made: FirstSecrets) -> str:
    """Return the user name, password and API key of the first start as a text to print."""
    return "\n".join(
        [
            "",
            "  First start. These secrets are shown only once:",
            "",
            f"    sign in as   {made.user_name}",
            f"    password     {made.password}",
            f"    team         {made.team_name}",
            f"    key id       {made.key_public_id}",
            f"    key secret   {made.key_secret}",
            "",
        ]
    )
