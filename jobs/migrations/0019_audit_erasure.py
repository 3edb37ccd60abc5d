"""Allow names in the audit trail to be replaced by a pseudonym, but only in `jobs.audit.redaction`.

A later migration that rebuilds `jobs_auditentry` on SQLite drops the triggers. Such a migration must end with
`migrations.RunPython(create, drop)` of this module.
"""

from importlib import import_module

from django.db import migrations, models

first = import_module("jobs.migrations.0002_append_only")
second = import_module("jobs.migrations.0006_audit_guards")
REFUSAL = first.REFUSAL

# Columns that an erasure cannot change: the hash chain, the action, and the object of an entry.
_KEPT = ("number", "at", "action", "user_id", "key_id", "team_id", "request_id", "object_type", "object_id")
_SAME = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in (*_KEPT, "previous_hash", "hash"))
_PERMITTED = f"EXISTS (SELECT 1 FROM jobs_auditerasure) AND {_SAME}"

SQLITE = first.SQLITE | {
    "audit_no_update": f"""
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON jobs_auditentry
        WHEN NOT ({_PERMITTED.replace("IS NOT DISTINCT FROM", "IS")})
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
}

POSTGRESQL_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION jobs_audit_redact() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF {_PERMITTED} THEN RETURN NEW; END IF;
        RAISE EXCEPTION '{REFUSAL}';
    END $$"""
_POSTGRESQL_NAMES = ("audit_no_update", "audit_no_delete")


def statements_to_create(vendor):
    if vendor == "sqlite":
        return [*SQLITE.values(), *second.SQLITE.values()]
    others = [statement for statement in first.statements_to_create(vendor) if "audit_no_change" not in statement]
    return [
        *others,
        POSTGRESQL_FUNCTION,
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON jobs_auditentry"
        " FOR EACH ROW EXECUTE FUNCTION jobs_audit_redact()",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON jobs_auditentry"
        " FOR EACH ROW EXECUTE FUNCTION jobs_audit_refuse()",
    ]


def statements_to_drop(vendor):
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in (*SQLITE, *second.SQLITE)]
    ours = [f"DROP TRIGGER IF EXISTS {name} ON jobs_auditentry" for name in _POSTGRESQL_NAMES]
    return [*first.statements_to_drop(vendor), *ours]


def create(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in [*statements_to_drop(vendor), *statements_to_create(vendor)]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in statements_to_drop(vendor):
        schema_editor.execute(statement)
    first.create(apps, schema_editor)
    second.create(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0018_faults_and_repeats")]

    operations = [
        migrations.CreateModel(
            name="AuditErasure",
            fields=[("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False))],
        ),
        migrations.RunPython(create, drop, elidable=False),
    ]
