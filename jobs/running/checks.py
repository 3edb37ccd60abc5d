"""System checks of settings that depend on files or on each other; single values are checked when they are read.

Each error names the variable. `manage.py run`, `work` and `setup` run these checks before they start anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import Error, register

from jobs.intake.fetch import policy_from_settings

TAG = "keyline"


@register(TAG)
def check_matting_settings(app_configs: object, **kwargs: object) -> list[Error]:
    """Check files, folders and values that must fit together."""
    return [*_weights_errors(), *_storage_errors(), *_fetch_errors(), *_proxy_errors()]


def _weights_errors() -> Iterator[Error]:
    if not Path(settings.MATTING_WEIGHTS).is_file():
        yield Error(f"MATTING_WEIGHTS={settings.MATTING_WEIGHTS} is not a file", id="keyline.E003")


def _storage_errors() -> Iterator[Error]:
    if settings.S3_BUCKET:
        return
    options = settings.S3_OPTIONS
    for name, option in (("MATTING_S3_ENDPOINT", "endpoint_url"), ("MATTING_S3_REGION", "region_name")):
        if options[option]:
            yield Error(f"{name} is set, but MATTING_S3_BUCKET names no bucket", id="keyline.E004")


def _fetch_errors() -> Iterator[Error]:
    try:
        policy_from_settings("picture")
    except ValueError as error:
        yield Error(f"MATTING_FETCH_ALLOW: {error}", id="keyline.E006")


def _proxy_errors() -> Iterator[Error]:
    if settings.DEBUG and settings.HTTPS:
        yield Error("DEBUG=1 and MATTING_HTTPS=1 must not be set together: debug pages show secrets", id="keyline.E007")
