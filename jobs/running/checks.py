"""System checks of the settings: each error names the variable."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, register

from jobs.intake.fetch import policy_from_settings
from segmentation.runtimes import RUNTIMES

TAG = "keyline"

_POSITIVE = (
    "MATTING_MAX_IMAGE_BYTES",
    "MATTING_MAX_IMAGE_PIXELS",
    "MATTING_MAX_IMAGES_PER_JOB",
    "MATTING_MAX_ARCHIVE_BYTES",
    "MATTING_MAX_WAIT_S",
    "MATTING_RETENTION_HOURS",
    "MATTING_LINK_TTL_S",
    "MATTING_LEASE_S",
    "MATTING_SWEEP_INTERVAL_S",
    "MATTING_MAX_DELIVERIES",
    "MATTING_WORKERS",
    "MATTING_DOWNLOADERS",
    "MATTING_FETCH_TIMEOUT_S",
)


@register(TAG)
def check_matting_settings(app_configs: object, **kwargs: object) -> list[Error]:
    """Check every number, path and URL among the MATTING_ settings."""
    problems = [
        Error(f"{name}={getattr(settings, name)} must be greater than 0", id="keyline.E001")
        for name in _POSITIVE
        if getattr(settings, name) <= 0
    ]
    if settings.MATTING_RUNTIME not in RUNTIMES:
        problems.append(Error(f"MATTING_RUNTIME must be one of {', '.join(RUNTIMES)}", id="keyline.E002"))
    if not Path(settings.MATTING_WEIGHTS).is_file():
        problems.append(Error(f"MATTING_WEIGHTS={settings.MATTING_WEIGHTS} is not a file", id="keyline.E003"))
    if urlsplit(settings.REDIS_URL).scheme not in ("redis", "rediss", "unix"):
        problems.append(Error("REDIS_URL must start with redis://, rediss:// or unix://", id="keyline.E004"))
    if settings.MATTING_LEASE_S < 2:
        problems.append(Error("MATTING_LEASE_S must be 2 or more, a worker renews it three times", id="keyline.E005"))
    try:
        policy_from_settings("picture")
    except ValueError as error:
        problems.append(Error(f"MATTING_FETCH_ALLOW: {error}", id="keyline.E006"))
    return problems
