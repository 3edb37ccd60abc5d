"""Services that save and delete a user's presets (saved cutout settings)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from jobs.models import Preset
from segmentation.errors import InvalidParameter
from segmentation.options import CutoutOptions

MAX_PRESETS = 20


def preset_save(*, user: User, name: str, options: dict[str, Any]) -> Preset:
    """Save cutout settings as a preset of the user, and return the preset.

    An earlier preset with the same name is replaced. Raise InvalidParameter for an invalid name, too many presets or an
    unknown setting.
    """
    name = name.strip()
    if not name or len(name) > 40 or not name.isprintable():
        raise InvalidParameter("name: 1 to 40 printable characters", field="name")
    checked = CutoutOptions.from_json(options).to_json()
    if Preset.objects.filter(user=user).exclude(name=name).count() >= MAX_PRESETS:
        raise InvalidParameter(f"name: at most {MAX_PRESETS} saved settings", field="name")
    defaults = CutoutOptions().to_json()
    kept = {key: value for key, value in checked.items() if value != defaults[key]}
    return Preset.objects.update_or_create(user=user, name=name, defaults={"options": kept})[0]


def preset_delete(*, user: User, name: str) -> None:
    Preset.objects.filter(user=user, name=name).delete()
