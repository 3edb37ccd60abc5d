"""Stage 2 in the browser: settings by scene, as the people who make such pictures choose them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Preset:
    """Hold a name, a line of help and the parameters that differ from the defaults."""

    name: str | Promise
    help: str | Promise
    options: dict[str, Any]

    @property
    def options_json(self) -> str:
        return json.dumps(self.options)


SCENES = (
    Preset(
        _("ID photo"),
        _("A person on white, clean edges."),
        {"subject": "person", "format": "jpeg", "background": "#ffffff", "threshold": 18, "erosion": 2},
    ),
    Preset(
        _("Shop"), _("A product, transparent, cropped to its outline."), {"threshold": 10, "erosion": 1, "crop": True}
    ),
    Preset(_("Avatar"), _("A face or figure, soft edges."), {"subject": "person", "threshold": 8, "erosion": 0}),
    Preset(
        _("Complex portrait"),
        _("Loose hair before a busy scene."),
        {"subject": "person", "threshold": 25, "erosion": 2},
    ),
)
