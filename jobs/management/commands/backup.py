"""`manage.py backup FOLDER` writes a verified backup of the database and the files. The site may run meanwhile."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.running.backup import BackupFailed, backup_create


class Command(BaseCommand):
    help = "Write a backup into a new folder below FOLDER and check it. The site may run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument(
            "--list-files",
            action="store_true",
            help="only list the files, for a storage with its own backup",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = backup_create(parent=options["folder"], with_files=not options["list_files"])
        except (BackupFailed, OSError) as error:
            raise CommandError(f"no backup was made: {error}") from None
        self.stdout.write(f"{made.folder}: {made.files} files, audit trail up to entry {made.audit_number}")
        if made.missing:
            raise CommandError(f"{made.missing} files are in the database and not in the storage")
