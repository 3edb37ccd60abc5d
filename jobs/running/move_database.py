"""Copy a complete database into this site's empty database, to move from SQLite to PostgreSQL.

Rows are copied through the models, so times keep their microseconds and the hashes of the audit trail stay valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connections, models, transaction

from jobs.audit.verification import Verdict, audit_verify

SOURCE, TARGET = "source", "default"
_ROWS_PER_STATEMENT = 500
# Migrations whose triggers make tables append-only; the copy writes the head of the audit trail directly.
_TRIGGERS = ("0019_audit_erasure", "0008_usage_append_only")


class MoveFailed(Exception):
    """Raised when the database cannot be moved or its copy is not valid. The message gives the reason in one line."""


def database_move(*, source: dict[str, Any], report: Any) -> Verdict:
    """Copy all rows of another database into this site's database, and verify the audit trail of the copy.

    Return the result of the verification.

    This site's database must be a PostgreSQL database without users. The function migrates it first. The other database
    must have the same migrations. All rows are copied in one transaction, so an error during the copy changes no rows
    of this site's database. The audit trail is verified after the transaction.

    source: Django's settings of the other database.
    report: a function that is called with one line of text for each table.

    Raise MoveFailed if one of these conditions is not met, or if the audit trail of the copy has problems.
    """
    if connections[TARGET].vendor != "postgresql":
        raise MoveFailed("DATABASE_URL must name the PostgreSQL database to move to")
    connections.settings[SOURCE] = connections.configure_settings({TARGET: source, SOURCE: source})[SOURCE]
    call_command("migrate", database=TARGET, verbosity=0, interactive=False)
    _require_same_schema()
    if get_user_model().objects.using(TARGET).exists():
        raise MoveFailed("the database that DATABASE_URL names has users already; it must be empty")
    copied = list(_tables())
    with transaction.atomic(using=TARGET):
        _triggers("drop")
        for model in reversed(copied):
            model._base_manager.using(TARGET).all()._raw_delete(TARGET)
        for model in copied:
            report(f"{_copy(model):8} {model._meta.label}")
        connections[TARGET].check_constraints()
        _triggers("create")
    _reset_sequences(copied)
    verdict = audit_verify()
    if verdict.problems:
        raise MoveFailed("the audit trail of the copy has problems: " + "; ".join(verdict.problems[:3]))
    return verdict


def _require_same_schema() -> None:
    from django.db.migrations.recorder import MigrationRecorder

    applied = [set(MigrationRecorder(connections[name]).applied_migrations()) for name in (SOURCE, TARGET)]
    if applied[0] != applied[1]:
        raise MoveFailed("the source has another schema; run `manage.py setup` on it with this version first")


def _tables() -> Iterator[type[models.Model]]:
    """Yield the models that have a table. A model comes after the models to which its foreign keys refer."""
    left = [
        model for model in apps.get_models(include_auto_created=True) if model._meta.managed and not model._meta.proxy
    ]
    done: set[type[models.Model]] = set()
    while left:
        ready = [model for model in left if _referred(model) <= done | {model}] or left[:1]
        for model in ready:
            done.add(model)
            left.remove(model)
            yield model


def _referred(model: type[models.Model]) -> set[Any]:
    fields = (field for field in model._meta.concrete_fields if field.is_relation)
    return {field.related_model._meta.concrete_model for field in fields}  # type: ignore[union-attr]


def _copy(model: type[models.Model]) -> int:
    count, batch = 0, []
    for row in model._base_manager.using(SOURCE).order_by("pk").iterator(chunk_size=_ROWS_PER_STATEMENT):
        batch.append(row)
        if len(batch) == _ROWS_PER_STATEMENT:
            count += _write(model, batch)
            batch = []
    return count + _write(model, batch)


def _write(model: type[models.Model], rows: list[models.Model]) -> int:
    model._base_manager.using(TARGET).bulk_create(rows)
    return len(rows)


def _triggers(action: str) -> None:
    """Drop or create the triggers of append-only tables in the target database.

    action: `drop` or `create`.
    """
    vendor = connections[TARGET].vendor
    with connections[TARGET].cursor() as cursor:
        for name in _TRIGGERS:
            module = import_module(f"jobs.migrations.{name}")
            for statement in getattr(module, f"statements_to_{action}")(vendor):
                cursor.execute(statement)


def _reset_sequences(copied: list[type[models.Model]]) -> None:
    with connections[TARGET].cursor() as cursor:
        for statement in connections[TARGET].ops.sequence_reset_sql(no_style(), copied):
            cursor.execute(statement)
