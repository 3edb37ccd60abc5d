"""An index for pictures by uncertainty, the most uncertain first."""

from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Coalesce


class AddIndexDuringWrites(migrations.AddIndex):
    """Add an index, on PostgreSQL without a lock that blocks writes. The migration must not be atomic."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # invalid, from an interrupted migration
            schema_editor.add_index(model, self.index, concurrently=True)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("jobs", "0023_picture_settings")]
    operations = [
        AddIndexDuringWrites(
            model_name="jobimage",
            index=models.Index(Coalesce(F("uncertainty"), Value(-1.0)).desc(), name="image_uncertain_first"),
        ),
    ]
