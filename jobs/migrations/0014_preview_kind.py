from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0013_lease_defaults")]

    operations = [
        migrations.AlterField(
            model_name="artifact",
            name="kind",
            field=models.CharField(
                choices=[
                    ("source", "Source"),
                    ("cutout", "Cutout"),
                    ("mask", "Mask"),
                    ("alpha", "Alpha"),
                    ("visualization", "Visualization"),
                    ("thumbnail", "Thumbnail"),
                    ("preview", "Preview"),
                    ("variant", "Variant"),
                    ("zip", "Zip"),
                ],
                max_length=14,
            ),
        ),
    ]
