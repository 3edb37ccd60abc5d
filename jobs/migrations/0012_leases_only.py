"""Take the columns that the common lease replaces out of the models, and leave them in the tables.

The release before this one still writes them while a site is upgraded, and this one no longer does: so they get a default
in the database. A later release removes them.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0011_leases")]

    operations = [
        migrations.AlterField("job", "bundle_attempt", models.PositiveSmallIntegerField(default=0, db_default=0)),
        migrations.AlterField("job", "bundle_attempts_before", models.PositiveSmallIntegerField(default=0, db_default=0)),
        migrations.AlterField("pendingdeletion", "tries", models.PositiveSmallIntegerField(default=0, db_default=0)),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("job", "bundle_attempt"),
                migrations.RemoveField("job", "bundle_attempts_before"),
                migrations.RemoveField("job", "bundle_leased_until"),
                migrations.RemoveField("pendingdeletion", "tries"),
                migrations.RemoveField("webhookdelivery", "enqueued_at"),
            ]
        ),
    ]
