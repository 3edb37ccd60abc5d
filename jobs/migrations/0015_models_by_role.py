"""Gives models roles and tiers, pictures and charges a quality, and teams their defaults."""

from importlib import import_module

import django.core.validators
import jobs.models.quota
import jobs.models.team
from django.conf import settings
from django.db import migrations, models


ledger = import_module("jobs.migrations.0008_usage_append_only")
ROLES = {"UNetEngine": ("prompts", "people"), "SalientEngine": ("prompts",), "PeopleEngine": ("people",)}


def keep_roles(apps, schema_editor):
    """Let the model that answered everything keep the roles that it can take."""
    ModelVersion = apps.get_model("jobs", "ModelVersion")
    for version in ModelVersion.objects.filter(is_active=True, role="subject"):
        for role in ROLES.get(version.architecture, ()):
            version.pk, version.role = None, role
            version.save(force_insert=True)


def keep_one(apps, schema_editor):
    """Keep the fast model of the role `subject` alone active."""
    apps.get_model("jobs", "ModelVersion").objects.exclude(role="subject", tier="fast").update(is_active=False)


def fill_units(apps, schema_editor):
    """Count every earlier picture once."""
    apps.get_model("jobs", "UsageEntry").objects.update(units=models.F("pictures"))


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0014_preview_kind"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="modelversion",
            name="one_active_model",
        ),
        migrations.AddField(
            model_name="jobimage",
            name="charged_units",
            field=models.PositiveSmallIntegerField(db_default=1, default=1, help_text="What it counts of a quota, by its tier."),
        ),
        migrations.AddField(
            model_name="jobimage",
            name="is_corrected",
            field=models.BooleanField(db_default=False, default=False, help_text="Whether a brush, a box or a click changed the result."),
        ),
        migrations.AddField(
            model_name="jobimage",
            name="model_reason",
            field=models.CharField(default="", db_default="", blank=True, help_text="Why this model answered.", max_length=16),
        ),
        migrations.AddField(
            model_name="jobimage",
            name="tier",
            field=models.CharField(default="", db_default="", blank=True, help_text="Tier of the model that answered.", max_length=5),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="is_pending",
            field=models.BooleanField(db_default=False, default=False, help_text="Being copied to the hosts before it is activated."),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="licence",
            field=models.CharField(default="", db_default="", blank=True, max_length=400),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="licence_accepted",
            field=models.BooleanField(db_default=False, default=False, help_text="Whether an operator accepted its restrictions."),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="role",
            field=models.CharField(
                db_default="subject", choices=[("subject", "Subject"), ("prompts", "Boxes and clicks"), ("people", "People")],
                default="subject",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="storage_key",
            field=models.CharField(default="", db_default="", blank=True, help_text="Copy in the storage, for hosts without it.", max_length=255),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="tier",
            field=models.CharField(
                db_default="fast", choices=[("fast", "Fast"), ("fine", "Fine"), ("trial", "Trial")], default="fast", max_length=5
            ),
        ),
        migrations.AddField(
            model_name="quota",
            name="quality_units",
            field=models.JSONField(
                blank=True,
                help_text='What one picture counts, by quality: {"fine": 3}. Others count 1. Empty: the site\'s default.',
                null=True,
                validators=[jobs.models.quota.validate_quality_units],
                verbose_name="weight of qualities",
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="dialect_qualities",
            field=models.JSONField(
                null=True, blank=True,
                default=dict,
                help_text='Qualities of single dialects: {"native": "fine"}.',
                validators=[jobs.models.team.validate_dialect_qualities],
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="quality",
            field=models.CharField(
                default="", db_default="", blank=True,
                choices=jobs.models.team.quality_choices,
                help_text="Quality of pictures that name none; empty: the site's default.",
                max_length=4,
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="review_above",
            field=models.FloatField(
                blank=True,
                help_text="Uncertainty from which a picture is announced as `image.uncertain`; empty: never.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)],
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="trial_percent",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0,
                help_text="Share of the pictures that the model under trial answers.",
                validators=[django.core.validators.MaxValueValidator(100)],
            ),
        ),
        migrations.RunPython(ledger.drop, ledger.create, elidable=False),
        migrations.AddField(
            model_name="usageentry",
            name="quality",
            field=models.CharField(db_default="fast", default="fast", max_length=4),
        ),
        migrations.AddField(
            model_name="usageentry",
            name="units",
            field=models.IntegerField(db_default=0, default=0, help_text="What these pictures count of a quota, by their quality."),
        ),
        migrations.RunPython(fill_units, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(ledger.create, ledger.drop, elidable=False),
        migrations.AlterField(
            model_name="jobimage",
            name="uncertainty",
            field=models.FloatField(blank=True, help_text="0..1, see segmentation.pipeline.uncertainty_of.", null=True),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="event",
            field=models.CharField(
                choices=[
                    ("job.succeeded", "Job Succeeded"),
                    ("job.failed", "Job Failed"),
                    ("job.canceled", "Job Canceled"),
                    ("image.uncertain", "Image Uncertain"),
                    ("quota.warning", "Quota Warning"),
                ],
                max_length=40,
            ),
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)), fields=("role", "tier"), name="one_active_model_a_place"
            ),
        ),
        migrations.RunPython(keep_roles, keep_one, elidable=False),
    ]
