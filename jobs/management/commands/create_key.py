"""`manage.py create_key` creates an API key for a team. It also creates the team if the team does not exist."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from jobs.models import Scope, Team
from jobs.teams.keys import DEFAULT_SCOPES, key_create
from jobs.teams.teams import team_create


class Command(BaseCommand):
    help = "Create an API key. Prints `id PUBLIC_ID`, and the secret alone on the last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, metavar="NAME", help="created if it does not exist")
        parser.add_argument("--name", required=True, metavar="LABEL", help="what the key is for")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            dest="scopes",
            help=f"may be repeated; default: {', '.join(DEFAULT_SCOPES)}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for field in ("team", "name"):
            if not options[field].strip() or len(options[field]) > 120:
                raise CommandError(f"--{field} has 1 to 120 characters")
        with transaction.atomic():
            team = Team.objects.filter(name=options["team"]).first() or team_create(name=options["team"])
            key, secret = key_create(team=team, name=options["name"], scopes=options["scopes"] or DEFAULT_SCOPES)
        self.stdout.write(f"id {key.public_id}")
        self.stdout.write(secret)
