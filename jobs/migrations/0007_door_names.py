"""Spells the doors as their vendors do."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0006_audit_guards'),
    ]

    operations = [
        migrations.AlterField(
            model_name='job',
            name='dialect',
            field=models.CharField(choices=[('native', 'Native'), ('unet', 'UNet'), ('baidu', 'Baidu'), ('dashscope', 'DashScope'), ('picwish', 'PicWish'), ('web', 'Web'), ('command', 'Command')], max_length=12),
        ),
    ]
