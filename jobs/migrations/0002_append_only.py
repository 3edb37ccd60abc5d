"""Makes the audit trail append-only in the database itself: no site, admin or shell with a slip of the hand changes it."""

from django.db import migrations

REFUSAL = "audit entries are append-only"

SQLITE = {
    "audit_no_update": f"""
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON jobs_auditentry
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "audit_no_delete": f"""
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON jobs_auditentry
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "audit_head_forward": f"""
        CREATE TRIGGER audit_head_forward BEFORE UPDATE ON jobs_audithead
        WHEN NEW.number <> OLD.number + 1
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "audit_head_no_delete": f"""
        CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON jobs_audithead
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
}

POSTGRESQL_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION jobs_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"""

# Name of the trigger: the table, and what it refuses.
POSTGRESQL = {
    "audit_no_change": ("jobs_auditentry", "BEFORE UPDATE OR DELETE ON jobs_auditentry FOR EACH ROW"),
    "audit_no_truncate": ("jobs_auditentry", "BEFORE TRUNCATE ON jobs_auditentry FOR EACH STATEMENT"),
    "audit_head_forward": (
        "jobs_audithead",
        "BEFORE UPDATE ON jobs_audithead FOR EACH ROW WHEN (NEW.number <> OLD.number + 1)",
    ),
    "audit_head_no_delete": ("jobs_audithead", "BEFORE DELETE ON jobs_audithead FOR EACH ROW"),
    "audit_head_no_truncate": ("jobs_audithead", "BEFORE TRUNCATE ON jobs_audithead FOR EACH STATEMENT"),
}


def statements_to_create(vendor):
    if vendor == "sqlite":
        return list(SQLITE.values())
    if vendor == "postgresql":
        creations = [
            f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION jobs_audit_refuse()"
            for name, (_, when) in POSTGRESQL.items()
        ]
        return [POSTGRESQL_FUNCTION, *creations]
    raise NotImplementedError(f"Keyline runs on SQLite and PostgreSQL, not on {vendor}")


def statements_to_drop(vendor):
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in SQLITE]
    return [f"DROP TRIGGER IF EXISTS {name} ON {table}" for name, (table, _) in POSTGRESQL.items()]


def create(apps, schema_editor):
    for statement in statements_to_create(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for statement in statements_to_drop(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [migrations.RunPython(create, drop, elidable=False)]
