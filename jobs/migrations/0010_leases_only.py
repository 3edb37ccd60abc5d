"""Remove the columns that the common lease replaces; after 0009, since PostgreSQL alters no table with pending rows."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0009_leases'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='job',
            name='bundle_attempt',
        ),
        migrations.RemoveField(
            model_name='job',
            name='bundle_attempts_before',
        ),
        migrations.RemoveField(
            model_name='job',
            name='bundle_leased_until',
        ),
        migrations.RemoveField(
            model_name='pendingdeletion',
            name='tries',
        ),
        migrations.RemoveField(
            model_name='webhookdelivery',
            name='enqueued_at',
        ),
    ]
