"""`manage.py erase_user` erases a user with the user's files and database rows.

In the audit trail a pseudonym replaces the user's names, and the hash chain stays valid.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from jobs.audit.trail import Author
from jobs.erasure.user import ErasureRefused, user_erase


class Command(BaseCommand):
    help = "Erase a user with their own jobs and teams. This cannot be undone; export_user writes a copy before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--confirm", required=True, metavar="USERNAME", help="the same name again")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['username']}")
        if options["confirm"] != options["username"]:
            raise CommandError("--confirm must repeat the user's name")
        try:
            done = user_erase(author=Author(), user=user)
        except ErasureRefused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Erased: {done.jobs} jobs; {done.audit_entries} audit entries name {done.pseudonym} instead of the user."
        )
