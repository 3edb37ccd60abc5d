"""Presets of cutout settings: built-in presets for common scenes, and presets that the user has saved."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import View

from jobs.sentences import explained_error
from jobs.teams.caller import caller_of
from jobs.teams.presets import preset_delete, preset_save
from jobs.teams.selectors import presets_of
from segmentation.errors import MattingError


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of cutout settings.

    options: the options that differ from the defaults.
    is_own: whether the user has saved the preset; built-in presets have False.
    """

    name: str | Promise
    help: str | Promise
    options: dict[str, Any]
    is_own: bool = False

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
        _("Loose hair in front of a busy background."),
        {"subject": "person", "threshold": 25, "erosion": 2},
    ),
)


def presets_for(user: User) -> list[Preset]:
    """Return the presets for a user: first the built-in presets, then the presets that the user has saved."""
    own = [Preset(row.name, _("Your saved settings."), row.options, is_own=True) for row in presets_of(user)]
    return [*SCENES, *own]


class PresetsView(LoginRequiredMixin, View):
    """View that saves (POST) or deletes (DELETE) one of the user's own presets. Responses are JSON."""

    def handle_no_permission(self) -> JsonResponse:  # type: ignore[override]  # for a script, no redirect
        """Return status 401 as JSON if the user is signed out.

        The page's script cannot use the HTML of the sign-in page.
        """
        return JsonResponse({"detail": _("You are signed out. Open the page again.")}, status=401)

    def post(self, request: HttpRequest) -> JsonResponse:
        try:
            body = json.loads(request.body)
            preset_save(
                user=caller_of(request).user, name=str(body.get("name", "")), options=dict(body.get("options", {}))
            )
        except (ValueError, TypeError, AttributeError):
            return JsonResponse({"detail": _("The settings are not valid.")}, status=400)
        except MattingError as error:
            return JsonResponse({"detail": explained_error(error)}, status=error.http_status)
        return JsonResponse({}, status=201)

    def delete(self, request: HttpRequest) -> JsonResponse:
        preset_delete(user=caller_of(request).user, name=request.GET.get("name", ""))
        return JsonResponse({})
