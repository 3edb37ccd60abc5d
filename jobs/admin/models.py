"""Activations of weights files in the admin, and activating an earlier one again."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from jobs.admin.base import AuditedAdmin, ReadOnly
from jobs.intake.folders import place_in
from jobs.models import ModelVersion, Team
from jobs.teams.caller import caller_of
from jobs.work.model_versions import model_reload
from segmentation.errors import MattingError


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly, AuditedAdmin):
    """Show every activation of a weights file. Files are copied into the weights folder outside the site."""

    list_display = ("name", "path", "architecture", "short_hash", "state", "loaded_by_name", "created_at")
    search_fields = ("name", "path", "=sha256")
    ordering = ("-created_at",)
    actions = ("serve",)

    @display(description="SHA-256")
    def short_hash(self, version: ModelVersion) -> str:
        return version.sha256[:12]

    @display(description="state", label={"serving": "success", "earlier": "default"})
    def state(self, version: ModelVersion) -> str:
        return "serving" if version.is_active else "earlier"

    def has_serve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_modelversion")

    @admin.action(description="Activate again", permissions=["serve"])
    def serve(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Let a worker test the file; if it works, every worker loads it before its next picture."""
        if len(queryset) != 1:
            messages.error(request, "Choose one model.")
            return
        actor = caller_of(request).staff_actor(Team(id=None, name=""))  # the model belongs to no team
        try:
            place = place_in(queryset[0].path, [settings.MATTING_WEIGHTS_DIR], field="model_path")
            version, _ = model_reload(actor=actor, place=place)
        except MattingError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"{version.name} is active from the next picture on.")
