"""Stage 9, rendering for auditors: the audit trail, to be read, filtered and exported, and never changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from jobs.admin.base import AuditedAdmin, DaysFilter, ReadOnly, moment, staff_author
from jobs.admin.tables import csv_lines
from jobs.audit.trail import audit_append
from jobs.models import Action, AuditEntry, Team
from jobs.templatetags.keyline_admin import change_text

_COLUMNS = (
    "number",
    "at",
    "action",
    "actor_name",
    "user_id",
    "key_id",
    "team_id",
    "team_name",
    "address",
    "request_id",
    "object_type",
    "object_id",
    "object_name",
    "before",
    "after",
    "previous_hash",
    "hash",
)


class TeamOfEntryFilter(DropdownFilter):
    """Filter by the team an entry belongs to, by id: entries point to no row."""

    title = "team"
    parameter_name = "team_id"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Team.objects.values_list("pk", "name")[:500]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(team_id=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, AuditedAdmin):
    """Show who did what. The database refuses changes too, so hiding the buttons is only politeness."""

    list_display = ("number", "when", "who", "what", "object_text", "change", "team_name", "address")
    list_display_links = ("number",)
    list_filter = (("action", ChoicesDropdownFilter), TeamOfEntryFilter, ("at", DaysFilter))
    search_fields = ("actor_name", "object_id", "=key_id", "=address", "=request_id")
    search_help_text = "Who, a key's id, an address, a request id, or the id of what was touched"
    ordering = ("-number",)
    actions = None
    list_before_template = "admin/jobs/auditentry/export.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        return super().get_search_results(request, queryset, search_term.strip())

    @display(description="when", ordering="at")
    def when(self, entry: AuditEntry) -> str:
        return moment(entry.at)

    @display(description="who", header=True)
    def who(self, entry: AuditEntry) -> list[str]:
        return [entry.actor_name, f"key {entry.key_id}" if entry.key_id else ""]

    @display(description="what", label=True)
    def what(self, entry: AuditEntry) -> str:
        return entry.get_action_display()

    @display(description="object")
    def object_text(self, entry: AuditEntry) -> str:
        return entry.object_name or "–"

    @display(description="before → after")
    def change(self, entry: AuditEntry) -> str:
        return change_text(entry) or "–"

    def get_urls(self) -> list[Any]:
        return [
            path("export/<str:form>/", self.admin_site.admin_view(self.export_view), name="jobs_auditentry_export"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest, form: str) -> HttpResponse:
        """Send the entries that the list's filters leave, oldest first, as `csv` or `jsonl`."""
        writers = {"csv": (_as_csv, "text/csv"), "jsonl": (_as_json_lines, "application/jsonl")}
        if form not in writers or not self.has_view_permission(request):
            raise Http404
        write, content_type = writers[form]
        # Only what is there now: the entry about this export is not part of it.
        entries = self.get_changelist_instance(request).get_queryset(request).order_by("number")
        last = AuditEntry.objects.order_by("-number").values_list("number", flat=True).first() or 0
        audit_append(
            action=Action.AUDIT_EXPORTED,
            author=staff_author(request),
            after={"format": form, "filters": request.GET.urlencode()},
        )
        response = StreamingHttpResponse(
            write(entries.filter(number__lte=last)), content_type=f"{content_type}; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="audit.{form}"'
        return response

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return list(_COLUMNS)


def _as_csv(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    return csv_lines(_COLUMNS, (_row(entry) for entry in entries.iterator(chunk_size=2000)))


def _row(entry: AuditEntry) -> list[object]:
    values = entry.content() | {"previous_hash": entry.previous_hash, "hash": entry.hash}
    for name in ("before", "after"):
        values[name] = "" if values[name] is None else json.dumps(values[name], ensure_ascii=False, sort_keys=True)
    return [values[name] for name in _COLUMNS]


def _as_json_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    for entry in entries.iterator(chunk_size=2000):
        values = entry.content() | {"previous_hash": entry.previous_hash, "hash": entry.hash}
        yield json.dumps(values, ensure_ascii=False) + "\n"
