"""The prompts (boxes and clicks) that the models accept.

The manifest of each model says which prompts it accepts, so no model must be loaded.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from jobs.inference.built_in import click_path, takes_clicks
from jobs.inference.selectors import active_version
from jobs.models import Role, Tier
from segmentation.errors import InvalidParameter
from segmentation.options import CutoutOptions


def options_check(options: CutoutOptions) -> None:
    """Raise InvalidParameter if the options contain points (clicks) and no available model accepts points."""
    if not options.points:
        return
    if not takes_points():
        raise InvalidParameter(f"points: the model {_weights()[0].stem} does not take them", field="points")


def takes_points() -> bool:
    """Return whether at least one available model accepts points (clicks)."""
    return any(takes_clicks(path) for path in _weights())


def has_fine_model() -> bool:
    """Return whether a model for the quality `fine` is active."""
    return active_version(Role.SUBJECT, Tier.FINE) is not None


def _weights() -> list[Path]:
    """Return the files of the models that may process points, in the order in which the models are tried."""
    version = active_version(Role.PROMPTS, Tier.FAST)
    active = [] if version is None else [Path(settings.MATTING_WEIGHTS_DIR) / version.path]
    return [*active, click_path()]
