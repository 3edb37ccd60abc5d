"""Give zips, deliveries and deletions the same lease as pictures. The columns they had before leave the models with 0012."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


def leases_carry_over(apps, schema_editor):
    """Give the deliveries that are being sent their lease, and the zips that are being made their row."""
    delivery, job, bundle = (apps.get_model("jobs", name) for name in ("WebhookDelivery", "Job", "Bundle"))
    delivery.objects.filter(status="sending").update(leased_until=models.F("next_try_at"))
    unfinished = job.objects.exclude(bundle_leased_until=None).filter(status__in=["queued", "running"])
    bundle.objects.bulk_create(bundle(job_id=pk) for pk in unfinished.values_list("pk", flat=True))


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0010_registered_dialects'),
    ]

    operations = [
        migrations.AddField(
            model_name='jobimage',
            name='next_try_at',
            field=models.DateTimeField(blank=True, help_text='Not claimed before; empty: at once.', null=True),
        ),
        migrations.AddField(
            model_name='pendingdeletion',
            name='attempt',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How often a worker has claimed it.'),
        ),
        migrations.AddField(
            model_name='pendingdeletion',
            name='attempts_before',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How many of these attempts no longer count towards giving it up.'),
        ),
        migrations.AddField(
            model_name='pendingdeletion',
            name='claimed_by',
            field=models.CharField(blank=True, db_default='', max_length=120),
        ),
        migrations.AddField(
            model_name='pendingdeletion',
            name='leased_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='attempts_before',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How many of these attempts no longer count towards giving it up.'),
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='claimed_by',
            field=models.CharField(blank=True, db_default='', max_length=120),
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='leased_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='jobimage',
            name='attempts_before',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How many of these attempts no longer count towards giving it up.'),
        ),
        migrations.AlterField(
            model_name='pendingdeletion',
            name='next_try_at',
            field=models.DateTimeField(blank=True, help_text='Not claimed before; empty: at once.', null=True),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='attempt',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How often a worker has claimed it.'),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='next_try_at',
            field=models.DateTimeField(blank=True, help_text='Not claimed before; empty: at once.', null=True),
        ),
        migrations.CreateModel(
            name='Bundle',
            fields=[
                ('attempt', models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How often a worker has claimed it.')),
                ('attempts_before', models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How many of these attempts no longer count towards giving it up.')),
                ('claimed_by', models.CharField(blank=True, db_default='', max_length=120)),
                ('leased_until', models.DateTimeField(blank=True, null=True)),
                ('next_try_at', models.DateTimeField(blank=True, help_text='Not claimed before; empty: at once.', null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='bundle', to='jobs.job')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.RunPython(leases_carry_over, migrations.RunPython.noop),
    ]
