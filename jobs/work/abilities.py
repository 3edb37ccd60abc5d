"""The prompts (boxes and clicks) that the models accept.

The manifest of each model says which prompts it accepts, so no model must be loaded.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from jobs.inference.built_in import built_in_path
from jobs.inference.selectors import active_version
from jobs.models import Role, Tier
from segmentation.engines.manifest import Manifest, manifest_path
from segmentation.errors import InvalidParameter, WeightsInvalid
from segmentation.options import CutoutOptions


def options_check(options: CutoutOptions) -> None:
    """Raise InvalidParameter if the options contain points (clicks) and no available model accepts points."""
    if not options.points:
        return
    if not takes_points():
        raise InvalidParameter(f"points: the model {_manifests()[0].stem} does not take them", field="points")


def takes_points() -> bool:
    """Return whether at least one available model accepts points (clicks)."""
    return any(_takes_points(manifest) for manifest in _manifests())


def has_fine_model() -> bool:
    """Return whether a model for the quality `fine` is active."""
    return active_version(Role.SUBJECT, Tier.FINE) is not None


def _manifests() -> list[Path]:
    """Return the manifests of the models that may process points, in the order in which the models are tried."""
    built_in = manifest_path(built_in_path(Role.PROMPTS))
    version = active_version(Role.PROMPTS, Tier.FAST)
    if version is None:
        return [built_in]
    return [manifest_path(Path(settings.MATTING_WEIGHTS_DIR) / version.path), built_in]


def _takes_points(manifest: Path) -> bool:
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
