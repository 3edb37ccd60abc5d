"""`manage.py erase_team` erases a team with its files and database rows.

In the audit trail a pseudonym replaces the team's name, and the hash chain stays valid.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.audit.trail import Author
from jobs.erasure.team import team_erase
from jobs.models import Team


class Command(BaseCommand):
    help = "Erase a team with its jobs, files, keys and usage. This cannot be undone. Its members keep their accounts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--confirm", required=True, metavar="NAME", help="the same name again")

    def handle(self, *args: Any, **options: Any) -> None:
        team = Team.objects.filter(name=options["name"]).first()
        if team is None:
            raise CommandError(f"there is no team {options['name']}")
        if options["confirm"] != options["name"]:
            raise CommandError("--confirm must repeat the team's name")
        done = team_erase(author=Author(), team=team)
        self.stdout.write(
            f"Erased: {done.jobs} jobs; {done.audit_entries} audit entries name {done.pseudonym} instead of the team."
        )
