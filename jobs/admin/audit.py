"""Admin pages of the audit trail. Staff can read, filter and export the entries, but not change them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from jobs.admin.base import AuditedAdmin, DaysFilter, ReadOnly, moment
from jobs.audit.export import COLUMNS, CONTENT_TYPES, audit_export
from jobs.audit.verification import audit_verify_steps
from jobs.models import AuditEntry, Team
from jobs.teams.caller import caller_of
from jobs.templatetags.keyline_admin import change_text


class TeamOfEntryFilter(DropdownFilter):
    """Filter audit entries by team. An entry stores the team's id as text, not as a foreign key."""

    title = _("team")
    parameter_name = "team_id"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Team.objects.values_list("pk", "name")[:500]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(team_id=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, AuditedAdmin):
    """Read-only admin pages of audit entries. The database also rejects changes of entries."""

    list_display = ("number", "when", "who", "what", "object_text", "change", "team_name", "address")
    list_display_links = ("number",)
    list_filter = (("action", ChoicesDropdownFilter), TeamOfEntryFilter, ("at", DaysFilter))
    search_fields = ("actor_name", "object_id", "=key_id", "=address", "=request_id")
    search_help_text = _("User or key name, key id, IP address, request id, or the id of the object")
    ordering = ("-number",)
    actions = None
    list_before_template = "admin/jobs/auditentry/export.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        return super().get_search_results(request, queryset, search_term.strip())

    @display(description=_("when"), ordering="at")
    def when(self, entry: AuditEntry) -> str:
        return moment(entry.at)

    @display(description=_("who"), header=True)
    def who(self, entry: AuditEntry) -> list[str]:
        return [entry.actor_name, _("key %(name)s") % {"name": entry.key_id} if entry.key_id else ""]

    @display(description=_("what"), label=True)
    def what(self, entry: AuditEntry) -> str:
        return entry.get_action_display()

    @display(description=_("object"))
    def object_text(self, entry: AuditEntry) -> str:
        return entry.object_name or "–"

    @display(description=_("before → after"))
    def change(self, entry: AuditEntry) -> str:
        return change_text(entry) or "–"

    def get_urls(self) -> list[Any]:
        return [
            path("export/<str:form>/", self.admin_site.admin_view(self.export_view), name="jobs_auditentry_export"),
            path("verify/", self.admin_site.admin_view(require_POST(self.verify_view)), name="jobs_auditentry_verify"),
            *super().get_urls(),
        ]

    def verify_view(self, request: HttpRequest) -> HttpResponseBase:
        """Verify the hash chain of all audit entries, and stream the progress as JSON lines.

        There is one line for each thousand entries; the last line is the result. Raise Http404 if the user may not view
        entries.
        """
        if not self.has_view_permission(request):
            raise Http404
        total = AuditEntry.objects.count()
        steps = (json.dumps({**asdict(verdict), "total": total}) + "\n" for verdict in audit_verify_steps())
        return StreamingHttpResponse(steps, content_type=CONTENT_TYPES["jsonl"], headers={"Cache-Control": "no-store"})

    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """Stream the audit entries that match the filters of the list. The oldest entry is first.

        form: the file format, `csv` or `jsonl`.

        Raise Http404 if the format is unknown or the user may not view entries.
        """
        if form not in CONTENT_TYPES or not self.has_view_permission(request):
            raise Http404
        entries = self.get_changelist_instance(request).get_queryset(request)
        author = caller_of(request).author()
        lines = audit_export(author=author, entries=entries, form=form, filters=request.GET.urlencode())
        response = StreamingHttpResponse(lines, content_type=f"{CONTENT_TYPES[form]}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="audit.{form}"'
        return response

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return list(COLUMNS)
