"""Admin pages to show the installed models, activate and deactivate models, and show earlier activations.

A model is active in a role and a tier. A role is a kind of request (subject, prompts, people). A tier is a quality
(fast, fine, or trial).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from jobs.admin.base import AuditedAdmin, ReadOnly
from jobs.inference.activation import model_activate, model_activate_again, model_deactivate
from jobs.inference.board import models_board
from jobs.intake.folders import place_in
from jobs.models import ModelVersion, Role, Team, Tier
from jobs.sentences import explained_error
from jobs.teams.actor import Actor
from jobs.teams.caller import caller_of
from segmentation.errors import MattingError


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly, AuditedAdmin):
    """Admin pages of the active models and of earlier activations. Staff can activate and deactivate models.

    `manage.py fetch_weights` downloads the files with the models' weights.
    """

    list_display = (
        "name",
        "role",
        "tier",
        "path",
        "licence_text",
        "short_hash",
        "state",
        "loaded_by_name",
        "created_at",
    )
    list_filter = ("role", "tier")
    search_fields = ("name", "path", "=sha256")
    ordering = ("-created_at",)
    actions = ("serve",)
    fields = (
        ("name", "architecture"),
        ("role", "tier", "is_active"),
        "path",
        "sha256",
        ("licence", "licence_accepted"),
        ("loaded_by_name", "created_at"),
    )
    list_before_template = "admin/jobs/modelversion/board.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        return super().get_queryset(request).filter(is_pending=False)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"board": models_board(), "may_activate": self.has_serve_permission(request)}
        return super().changelist_view(request, (extra_context or {}) | context)

    @display(description=_("by"))
    def by(self, version: ModelVersion) -> str:
        return version.loaded_by_name

    @display(description="SHA-256")
    def short_hash(self, version: ModelVersion) -> str:
        return version.sha256[:12]

    @display(description=_("licence"))
    def licence_text(self, version: ModelVersion) -> str:
        text = version.licence[:60]
        return _("%(licence)s (accepted)") % {"licence": text} if version.licence_accepted else text

    @display(description=_("state"), label={"active": "success", "earlier": "default"})
    def state(self, version: ModelVersion) -> tuple[str, Promise]:
        return ("active", _("active")) if version.is_active else ("earlier", _("earlier"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("activate/", view(self.activate_view), name="jobs_modelversion_activate"),
            path("deactivate/", view(self.deactivate_view), name="jobs_modelversion_deactivate"),
            *super().get_urls(),
        ]

    def has_serve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_modelversion")

    def activate_view(self, request: HttpRequest) -> HttpResponse:
        """Activate a model's weights file in a role (a kind of request) and a tier (a quality).

        A worker tests the file first.
        """

        def activate() -> str:
            role, tier = _place_of(request)
            version = _activate(request, request.POST.get("path", ""), role, tier, "accept" in request.POST)
            place = {"name": version.name, "role": role.label, "tier": tier.label}
            return _("%(name)s answers %(role)s, %(tier)s, from the next picture on.") % place

        return self._done(request, activate)

    def deactivate_view(self, request: HttpRequest) -> HttpResponse:
        """Deactivate the model of a role (a kind of request) and a tier (a quality).

        If the built-in model supports this role and tier, it replaces the deactivated model.
        """

        def deactivate() -> str:
            role, tier = _place_of(request)
            model_deactivate(actor=_staff(request), role=role, tier=tier)
            place = {"role": role.label, "tier": tier.label}
            return _("%(role)s, %(tier)s: no model is active any more.") % place

        return self._done(request, deactivate)

    @admin.action(description=_("Activate again"), permissions=["serve"])
    def serve(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Activate one earlier model again, in the role (kind of request) and tier (quality) that it had."""
        if len(queryset) != 1:
            messages.error(request, _("Choose one model."))
            return
        try:
            version = model_activate_again(actor=_staff(request), earlier=queryset[0])
        except MattingError as error:
            messages.error(request, explained_error(error))
        else:
            messages.success(request, _("%(name)s is active from the next picture on.") % {"name": version.name})

    def _done(self, request: HttpRequest, act: Callable[[], str]) -> HttpResponse:
        """Run the action of a button, show its message or its error, and redirect to the list of models.

        Raise Http404 if the method is not POST or the user may not change models.
        """
        if request.method != "POST" or not self.has_serve_permission(request):
            raise Http404
        try:
            messages.success(request, act())
        except MattingError as error:
            messages.error(request, explained_error(error))
        return redirect("admin:jobs_modelversion_changelist")


def _activate(request: HttpRequest, text: str, role: Role, tier: Tier, accepted: bool) -> ModelVersion:
    place = place_in(text, [settings.MATTING_WEIGHTS_DIR], field="model_path")
    name = "/".join(place.parts)
    return model_activate(actor=_staff(request), path=name, role=role, tier=tier, licence_accepted=accepted)


def _place_of(request: HttpRequest) -> tuple[Role, Tier]:
    """Return the role (kind of request) and the tier (quality) from the POST field `place`, such as `subject-fine`.

    Raise Http404 if the value is unknown.
    """
    role, _dash, tier = request.POST.get("place", "").partition("-")
    try:
        return Role(role), Tier(tier)
    except ValueError:
        raise Http404 from None


def _staff(request: HttpRequest) -> Actor:
    return caller_of(request).staff_actor(Team(id=None, name=""))  # a model does not belong to a team
