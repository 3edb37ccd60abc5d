"""A program that writes and reads all tables as version 1.0.0 does, on a database with the newest schema.

Run it with DATABASE_URL set. It prints the failures as JSON. It builds the models of version 1.0.0 from the migrations,
so that it executes the same SQL statements as the released code.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import uuid
from typing import Any

import django

LAST_MIGRATION_OF_1_0_0 = ("jobs", "0007_door_names")


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.db.migrations.executor import MigrationExecutor

    call_command("migrate", verbosity=0)
    loader = MigrationExecutor(connection).loader
    others = [leaf for leaf in loader.graph.leaf_nodes() if leaf[0] != "jobs"]
    released = loader.project_state([LAST_MIGRATION_OF_1_0_0, *others]).apps
    failures = {}
    for model in released.get_app_config("jobs").get_models():
        if model._meta.model_name in ("audithead",):
            continue  # one row, written by a trigger-guarded update
        try:
            with transaction.atomic():
                row = _minimal_row(model)
                model.objects.get(pk=row.pk)
                transaction.set_rollback(True)
        except Exception as error:
            failures[model._meta.model_name] = str(error).splitlines()[0]
    sys.stdout.write(json.dumps(failures))


def _minimal_row(model: Any) -> Any:
    """Create a row with values only for the required fields, and return it."""
    values = {}
    for field in model._meta.concrete_fields:
        if field.has_default() or field.null or (field.primary_key and field.get_internal_type() == "BigAutoField"):
            continue
        values[field.name] = _minimal_row(field.related_model) if field.is_relation else _value(field)
    return model.objects.create(**values)


def _value(field: Any) -> Any:
    kind = field.get_internal_type()
    if kind in ("CharField", "TextField"):
        return uuid.uuid4().hex[: field.max_length or 32]
    values = {
        "BooleanField": False,
        "DateField": dt.date(2026, 11, 22),
        "DateTimeField": dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
        "FloatField": 1.0,
        "GenericIPAddressField": "127.0.0.1",
        "JSONField": {},
        "UUIDField": uuid.uuid4(),
    }
    return values.get(kind, 1)


if __name__ == "__main__":
    main()
