"""`manage.py export_user` writes the data that the site stores about a user to a zip file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from jobs.audit.trail import Author
from jobs.erasure.export import user_export


class Command(BaseCommand):
    help = "Write a user's account, teams, jobs, files and audit entries into one zip."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("output", type=Path, metavar="ZIP")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['username']}")
        try:
            counts = user_export(author=Author(), user=user, target=options["output"])
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from None
        self.stdout.write(", ".join(f"{number} {name}" for name, number in counts.items()))
