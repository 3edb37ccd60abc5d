from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0022_translated_names'),
    ]

    operations = [
        migrations.AddField(
            model_name='jobimage',
            name='settings',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text="Options of this picture that differ from its job's."),
        ),
    ]
