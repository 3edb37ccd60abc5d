"""What the model for boxes and clicks can do, read from the manifest beside its weights, without loading it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from jobs.inference.selectors import active_version
from jobs.models import Role, Tier
from segmentation.engines.manifest import Manifest, manifest_path
from segmentation.errors import InvalidParameter, WeightsInvalid
from segmentation.options import CutoutOptions


def options_check(options: CutoutOptions) -> None:
    """Raise InvalidParameter for options that ask what the active models cannot do."""
    if options.points and not takes_points():
        raise InvalidParameter(f"points: the model {_active_manifest().stem} does not take them", field="points")


def takes_points() -> bool:
    """Return whether the active model for boxes and clicks takes clicks."""
    return _takes_points(_active_manifest())


def has_fine_model() -> bool:
    """Return whether a finer model than the built-in one is installed."""
    return active_version(Role.SUBJECT, Tier.FINE) is not None


def _active_manifest() -> Path:
    version = active_version(Role.PROMPTS, Tier.FAST)
    if version is None:
        return manifest_path(Path(settings.MATTING_WEIGHTS))
    return manifest_path(Path(settings.MATTING_WEIGHTS_DIR) / version.path)


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
