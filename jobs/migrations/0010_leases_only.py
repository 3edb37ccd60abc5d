"""Forget the columns that the common lease replaces, but keep them in the database.

Version 1.0.0 reads and writes them, and runs beside the new version during an upgrade. A later release removes them;
until then they need a default in the database, because the new version does not write them.
"""

from django.db import migrations, models


def _forgotten(model_name, name, field):
    """Give the column a default in the database, and remove the field from the models only."""
    return [
        migrations.AlterField(model_name=model_name, name=name, field=field),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name=model_name, name=name)],
        ),
    ]


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0009_leases'),
    ]

    operations = [
        *_forgotten('job', 'bundle_attempt', models.PositiveSmallIntegerField(default=0, db_default=0)),
        *_forgotten('job', 'bundle_attempts_before', models.PositiveSmallIntegerField(default=0, db_default=0)),
        *_forgotten('job', 'bundle_leased_until', models.DateTimeField(blank=True, null=True)),
        *_forgotten('pendingdeletion', 'tries', models.PositiveSmallIntegerField(default=0, db_default=0)),
        *_forgotten('webhookdelivery', 'enqueued_at', models.DateTimeField(blank=True, null=True)),
    ]
