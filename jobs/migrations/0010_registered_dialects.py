"""Read the choices of `Job.dialect` from the registry, and name no dialect in a help text; no column changes."""

from django.db import migrations, models

import jobs.models.dialects
import jobs.models.quota


class Migration(migrations.Migration):
    dependencies = [("jobs", "0009_help_texts")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="dialect",
            field=models.CharField(choices=jobs.models.dialects.dialect_choices, max_length=12),
        ),
        migrations.AlterField(
            model_name="quota",
            name="dialects",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text='Changes to a dialect\'s own limits: {"native": {"running_tasks": 4}}. null means no limit.',
                validators=[jobs.models.quota.validate_dialects],
                verbose_name="limits of single dialects",
            ),
        ),
    ]
