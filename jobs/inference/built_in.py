"""Find the built-in model of a role.

The built-in model is the file in the setting MATTING_WEIGHTS. If this file does not support the role, the built-in
model is the shipped model.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from jobs.inference.capabilities import roles_of
from jobs.models import Role
from segmentation.engines.manifest import BUILT_IN_SUFFIXES, Manifest, manifest_path


def built_in_path(role: Role) -> Path:
    """Return the path of the weights file for a role that has no active model."""
    configured = Path(settings.MATTING_WEIGHTS)
    return configured if role in built_in_roles(configured) else Path(settings.SHIPPED_WEIGHTS)


@lru_cache(maxsize=8)
def built_in_roles(path: Path) -> tuple[Role, ...]:
    """Return the roles for which a file may be used as MATTING_WEIGHTS.

    Raise WeightsInvalid if the file needs a manifest and has none. Only the built-in network is used for the role
    `prompts`, because the boxes and the clicks of a picture need the same model.
    """
    if path.suffix.lower() in BUILT_IN_SUFFIXES:
        return tuple(Role)
    return tuple(role for role in roles_of(Manifest.read(manifest_path(path))) if role is not Role.PROMPTS)
