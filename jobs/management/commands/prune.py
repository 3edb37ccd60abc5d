"""`manage.py prune` shortens the retention time of stored jobs and deletes expired jobs."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.work.retention import jobs_expire, retention_shorten


class Command(BaseCommand):
    help = "Apply a retention to jobs that are stored already, never a longer one, and delete what has expired."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--hours", type=int, default=settings.MATTING_RETENTION_HOURS, help="retention (default: %(default)s)"
        )
        parser.add_argument("--dry-run", action="store_true", help="only count the jobs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["hours"] < 1:
            raise CommandError("--hours must be 1 or more")
        retention = dt.timedelta(hours=options["hours"])
        count = retention_shorten(retention=retention, dry_run=options["dry_run"])
        self.stdout.write(f"{count} jobs expire earlier than before")
        if not options["dry_run"]:
            deleted = 0
            while done := jobs_expire():
                deleted += done
            self.stdout.write(f"{deleted} jobs deleted")
