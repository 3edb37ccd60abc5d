"""`manage.py export_usage` writes the usage of all teams as CSV, for billing."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from jobs.quota.export import usage_export


class Command(BaseCommand):
    help = "Write CSV with one line per team, key, day, API and quality; by default for the last 31 days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=dt.date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="included")

    def handle(self, *args: Any, **options: Any) -> None:
        last = options["last"] or timezone.localdate()
        first = options["first"] or last - dt.timedelta(days=31)
        usage_export(output=self.stdout, first_day=first, last_day=last)  # type: ignore[arg-type]
