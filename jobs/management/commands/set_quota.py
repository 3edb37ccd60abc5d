"""`manage.py set_quota` changes the limits of one team."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Field

from jobs.audit.trail import Author
from jobs.models import Quota, Team
from jobs.quota.limits import quota_change
from segmentation.errors import InvalidParameter


class Command(BaseCommand):
    help = "Change the limits of one team; those that are not given stay. `none` means no limit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("team", metavar="TEAM")
        for name in Quota.LIMITS:
            field = Quota._meta.get_field(name)
            assert isinstance(field, Field)
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, dest=name, metavar="NUMBER", help=str(field.verbose_name))

    def handle(self, *args: Any, **options: Any) -> None:
        team = Team.objects.filter(name=options["team"]).first()
        if team is None:
            raise CommandError(f"there is no team {options['team']}")
        changes = {name: _limit(name, options[name]) for name in Quota.LIMITS if options[name] is not None}
        if not changes:
            raise CommandError("name at least one limit, such as --images-per-day 1000")
        try:
            quota = quota_change(author=Author(), team=team, **changes)
        except InvalidParameter as error:
            raise CommandError(str(error)) from None
        for name in Quota.LIMITS:
            self.stdout.write(f"{name:24} {'none' if getattr(quota, name) is None else getattr(quota, name)}")


def _limit(name: str, text: str) -> float | None:
    if text.lower() == "none":
        return None
    try:
        return float(text) if name == "max_image_megapixels" else int(text)
    except ValueError:
        raise CommandError(f"--{name.replace('_', '-')} must be a number or none") from None
