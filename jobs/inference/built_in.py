"""Find the built-in model of a role, and the model for clicks.

The built-in model is the file in the setting MATTING_WEIGHTS. If this file does not support the role, the built-in
model is the shipped model. If it takes no clicks, the shipped model processes them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from jobs.inference.capabilities import roles_of
from jobs.models import Role
from segmentation.engines.manifest import BUILT_IN_SUFFIXES, Manifest, manifest_path
from segmentation.errors import WeightsInvalid


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


def click_path() -> Path:
    """Return the path of the weights file for clicks, which is used if the model of the role `prompts` takes none."""
    built_in = built_in_path(Role.PROMPTS)
    return built_in if takes_clicks(built_in) else Path(settings.SHIPPED_WEIGHTS)


def takes_clicks(weights: Path) -> bool:
    """Return whether a weights file takes clicks. Its manifest says so; without a readable manifest it takes none."""
    manifest = manifest_path(weights)
    try:
        return _points_in(manifest, manifest.stat().st_mtime_ns)
    except OSError:
        return False


@lru_cache(maxsize=8)
def _points_in(manifest: Path, _changed_ns: int) -> bool:
    try:
        return Manifest.read(manifest).points
    except WeightsInvalid:
        return False
