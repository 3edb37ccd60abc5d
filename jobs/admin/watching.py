"""Admin pages of watched folders. `manage.py watch --all` submits each new picture in these folders as a job."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from jobs.admin.base import AuditedAdmin
from jobs.models import WatchedFolder
from jobs.recipes.selectors import recipe_named
from jobs.sentences import explained_error
from jobs.teams.actor import Actor
from jobs.watching.places import Place
from segmentation.errors import MattingError


class WatchedFolderForm(forms.ModelForm):
    """Form for a watched folder.

    It rejects an unknown recipe, a missing source folder, and an output folder that equals the source folder.
    """

    class Meta:
        model = WatchedFolder
        fields = ("team", "source", "output", "recipe", "settled_s", "at_once", "is_enabled")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("source") and values.get("source") == values.get("output"):
            self.add_error("output", _("Results need a place of their own."))
        if values.get("recipe") and values.get("team"):
            self._checked("recipe", lambda: recipe_named(Actor(team=values["team"]), values["recipe"]))
        if values.get("source"):
            self._checked("source", lambda: Place(values["source"]).require())
        return values

    def _checked(self, field: str, check: Any) -> None:
        try:
            check()
        except MattingError as error:
            self.add_error(field, explained_error(error))


@admin.register(WatchedFolder)
class WatchedFolderAdmin(AuditedAdmin):
    """Admin pages of the folders whose new pictures `manage.py watch --all` submits as jobs."""

    form = WatchedFolderForm
    list_display = ("source", "output", "team", "recipe", "is_enabled", "problem")
    list_select_related = ("team",)
    readonly_fields = ("problem",)
    search_fields = ("source", "output", "team__name")
    autocomplete_fields = ("team",)
