"""`manage.py move_database SQLITE_FILE` copies an SQLite database into the PostgreSQL database in DATABASE_URL."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from jobs.running.move_database import MoveFailed, database_move


class Command(BaseCommand):
    help = "Copy an SQLite database into the empty PostgreSQL that DATABASE_URL names. The site must be stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="SQLITE_FILE", help="such as var/keyline.sqlite3")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["source"].is_file():
            raise CommandError(f"{options['source']} is not a file")
        source = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(options["source"].resolve())}
        try:
            verdict = database_move(source=source, report=self.stdout.write)
        except (MoveFailed, DatabaseError) as error:
            raise CommandError(f"nothing was moved: {error}") from None
        self.stdout.write(f"Moved. The audit trail is valid up to entry {verdict.last_number}.")
