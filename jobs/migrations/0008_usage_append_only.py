"""Make the usage ledger append-only in the database; only `jobs.quota.erasure` can delete lines.

A later migration that rebuilds `jobs_usageentry` on SQLite (most AlterField operations do) drops the triggers. Such a
migration must end with `migrations.RunPython(create, drop)` of this module.
"""

from django.db import migrations, models

from jobs.models.audit import action_choices

REFUSAL = "usage entries are append-only"

_PERMITTED = "EXISTS (SELECT 1 FROM jobs_usageerasure WHERE team_id = OLD.team_id)"

SQLITE = {
    "usage_no_update": f"""
        CREATE TRIGGER usage_no_update BEFORE UPDATE ON jobs_usageentry
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "usage_no_delete": f"""
        CREATE TRIGGER usage_no_delete BEFORE DELETE ON jobs_usageentry
        WHEN NOT {_PERMITTED}
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    # INSERT OR REPLACE deletes the existing row without firing the DELETE trigger.
    "usage_no_replace": f"""
        CREATE TRIGGER usage_no_replace BEFORE INSERT ON jobs_usageentry
        WHEN EXISTS (SELECT 1 FROM jobs_usageentry WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
}

POSTGRESQL_FUNCTIONS = [
    f"""
    CREATE OR REPLACE FUNCTION jobs_usage_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    f"""
    CREATE OR REPLACE FUNCTION jobs_usage_delete() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF {_PERMITTED} THEN RETURN OLD; END IF;
        RAISE EXCEPTION '{REFUSAL}';
    END $$""",
]

# The trigger's name, the operation that fires it, and the function that it calls.
POSTGRESQL = {
    "usage_no_update": ("BEFORE UPDATE ON jobs_usageentry FOR EACH ROW", "jobs_usage_refuse"),
    "usage_no_delete": ("BEFORE DELETE ON jobs_usageentry FOR EACH ROW", "jobs_usage_delete"),
    "usage_no_truncate": ("BEFORE TRUNCATE ON jobs_usageentry FOR EACH STATEMENT", "jobs_usage_refuse"),
}


def statements_to_create(vendor):
    if vendor == "sqlite":
        return list(SQLITE.values())
    if vendor == "postgresql":
        creations = [
            f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {function}()"
            for name, (when, function) in POSTGRESQL.items()
        ]
        return [*POSTGRESQL_FUNCTIONS, *creations]
    raise NotImplementedError(f"Keyline runs on SQLite and PostgreSQL, not on {vendor}")


def statements_to_drop(vendor):
    on_table = "" if vendor == "sqlite" else " ON jobs_usageentry"
    return [f"DROP TRIGGER IF EXISTS {name}{on_table}" for name in (SQLITE if vendor == "sqlite" else POSTGRESQL)]


def create(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in [*statements_to_drop(vendor), *statements_to_create(vendor)]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for statement in statements_to_drop(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0007_door_names")]

    operations = [
        migrations.CreateModel(
            name="UsageErasure",
            fields=[("team_id", models.UUIDField(primary_key=True, serialize=False))],
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(choices=action_choices, max_length=24),
        ),
        migrations.RunPython(create, drop, elidable=False),
    ]
