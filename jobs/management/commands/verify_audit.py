"""`manage.py verify_audit` checks the whole audit trail and reports changed and missing entries."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.audit.verification import audit_verify
from jobs.models import AuditEntry


class Command(BaseCommand):
    help = "Verify the hash chain of the audit trail. Exit status 1 if an entry was changed or is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--expect",
            metavar="NUMBER:HASH",
            help="an entry's number and hash, noted earlier outside this machine: detects a chain that was rebuilt",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = audit_verify()
        problems = [*verdict.problems, *_unexpected(options["expect"])]
        if problems:
            raise CommandError("\n".join([f"The audit trail has {len(problems)} problem(s):", *problems]))
        self.stdout.write(f"{verdict.count} entries, none changed, none missing.")
        self.stdout.write(f"Note this outside this machine: {verdict.last_number}:{verdict.last_hash}")


def _unexpected(expected: str | None) -> list[str]:
    if not expected:
        return []
    number, _, digest = expected.partition(":")
    if not number.isdecimal() or not digest:
        raise CommandError("--expect needs NUMBER:HASH, as this command prints it")
    entry = AuditEntry.objects.filter(number=int(number)).first()
    return [] if entry is not None and entry.hash == digest else [f"entry {number} is not the one that was noted"]
