"""Stage 6, the model: record which weights every worker shall serve from its next picture on."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from jobs.models import ModelVersion


def model_activate(
    *, name: str, path: str, sha256: str, architecture: str, loaded_by: User | None = None, loaded_by_name: str = ""
) -> ModelVersion:
    """Make a weights file, already tried, the active one."""
    with transaction.atomic():
        ModelVersion.objects.filter(is_active=True).update(is_active=False)
        return ModelVersion.objects.create(
            name=name,
            path=path,
            sha256=sha256,
            architecture=architecture,
            is_active=True,
            loaded_by=loaded_by,
            loaded_by_name=loaded_by_name,
        )
