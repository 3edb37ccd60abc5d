"""`manage.py reconcile` compares the stored files with the database and lists the differences.

With --apply it deletes the files that have no row and the rows that have no file.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from jobs.results.reconciliation import differences, differences_resolve


class Command(BaseCommand):
    help = "List stored files without rows and rows without files. Nothing is changed without --apply."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="delete these files and rows")

    def handle(self, *args: Any, **options: Any) -> None:
        found = differences()
        for key in found.files:
            self.stdout.write(f"file without a row: {key}")
        for artifact in found.artifacts:
            self.stdout.write(f"row without a file: {artifact.kind} of job {artifact.job_id}: {artifact.key}")
        for upload in found.uploads:
            self.stdout.write(f"row without a file: upload {upload.pk}: {upload.key}")
        total = len(found.files) + len(found.artifacts) + len(found.uploads)
        if not options["apply"]:
            self.stdout.write(f"{total} differences. {'Run with --apply to delete them.' if total else ''}".rstrip())
            return
        if found:
            differences_resolve(found)
        self.stdout.write(f"{total} differences, deleted.")
