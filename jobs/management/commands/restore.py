"""`manage.py restore BACKUP` restores a backup into this site's database and storage, and verifies the result."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.running import first_start
from jobs.running.backup import BackupFailed, backup_restore
from jobs.running.first_start import CannotStart


class Command(BaseCommand):
    help = "Restore a backup that `manage.py backup` wrote. The site must be stopped."
    requires_system_checks = ()  # the database may be empty

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path, metavar="BACKUP", help="the folder that contains manifest.json")
        parser.add_argument("--replace", action="store_true", help="overwrite a database that has users")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            first_start.folder_require(settings.DATA_DIR)
            with first_start.folder_lock(settings.DATA_DIR):
                done = backup_restore(folder=options["backup"], replace=options["replace"])
        except (BackupFailed, CannotStart, OSError) as error:
            raise CommandError(f"nothing was restored, or not all of it: {error}") from None
        self.stdout.write(f"{done.files - done.missing} files, audit trail verified up to entry {done.audit_number}")
        if done.missing:
            raise CommandError(f"{done.missing} files are missing or damaged")
