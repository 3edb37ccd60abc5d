"""Admin pages of the jobs of all teams: the list, the page of one job, and the actions on jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Exists, Model, OuterRef, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from jobs.admin.base import AuditedAdmin, DaysFilter, ReadOnly, moment
from jobs.admin.files import artifact_open, thumbnail
from jobs.admin.job_page import job_page, picture_pair
from jobs.admin.job_search import job_ids_for
from jobs.audit.csv_lines import csv_lines
from jobs.audit.trail import audit_append
from jobs.errors import ERROR_CODES
from jobs.models import Action, Artifact, Job, JobImage, Status
from jobs.sentences import explained_error
from jobs.teams.caller import caller_of
from jobs.work.cancel import job_cancel
from jobs.work.retention import job_purge
from jobs.work.retry import job_retry
from segmentation.errors import MattingError

CSV_COLUMNS = (
    "id",
    "external_id",
    "team",
    "user",
    "key",
    "dialect",
    "status",
    "error_code",
    "images_total",
    "images_succeeded",
    "images_failed",
    "created_at",
    "started_at",
    "finished_at",
    "client_address",
)


class ErrorCodeFilter(DropdownFilter):
    """Filter jobs by error code. The choices come from the MattingError classes, so they need no database query."""

    title = _("error code")
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(code, code) for code in ERROR_CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(error_code=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(ReadOnly, AuditedAdmin):
    """Admin pages of jobs. Staff cannot edit a job, but can retry, cancel, purge and export jobs."""

    list_display = ("pictures", "ident", "owner", "state", "count", "error_code", "submitted", "took")
    list_display_links = ("pictures", "ident")
    list_select_related = ("team", "user", "api_key")
    list_filter = (
        ("team", AutocompleteSelectFilter),
        ("user", AutocompleteSelectFilter),
        ("dialect", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ErrorCodeFilter,
        ("created_at", DaysFilter),
    )
    search_fields = ("id",)
    search_help_text = _("Any id: job, picture, file, log_id, task_id, request id, webhook-id, or the path of a result")
    ordering = ("-created_at",)
    actions = ("retry", "cancel", "purge", "export_csv")
    change_form_outer_before_template = "admin/jobs/job/page.html"

    # Reading ----------------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        # Show the first picture that still exists; the picture at position 0 may have been deleted.
        before = JobImage.objects.filter(job=OuterRef("job"), position__lt=OuterRef("image__position"))
        shown = Artifact.objects.filter(
            ~Exists(before), kind__in=(Artifact.Kind.SOURCE, Artifact.Kind.THUMBNAIL), image__isnull=False
        ).order_by("created_at")
        return super().get_queryset(request).prefetch_related(Prefetch("artifacts", shown, to_attr="shown"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        term = search_term.strip()
        return (queryset.filter(pk__in=job_ids_for(term)) if term else queryset), False

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return []

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **values: Any) -> HttpResponse:
        job = self.get_object(request, object_id)
        context = {} if job is None else {"page": job_page(job), "allowed": self._allowed(request)}
        values["extra_context"] = (values.get("extra_context") or {}) | context
        return super().change_view(request, object_id, *args, **values)

    @display(description=_("picture"))
    def pictures(self, job: Job) -> str:
        pair, others = picture_pair(getattr(job, "shown", [])), job.images_total - 1
        if others < 1:
            return pair
        return format_html('<span class="kl-nowrap">{}<span class="kl-more">+{}</span></span>', pair, others)

    @display(description=_("job"), header=True)
    def ident(self, job: Job) -> list[str]:
        dialect = job.get_dialect_display()
        return [str(job.id)[:8], format_html('<span class="kl-nowrap">{} {}</span>', dialect, job.external_id[:18])]

    @display(description=_("team"), header=True, ordering="team__name")
    def owner(self, job: Job) -> list[str]:
        by_key = _("key %(name)s") % {"name": job.api_key.name} if job.api_key else "–"
        return [job.team.name, job.user.get_username() if job.user else by_key]

    @display(
        description=_("status"),
        ordering="status",
        label={
            Status.QUEUED: "info",
            Status.RUNNING: "warning",
            Status.SUCCEEDED: "success",
            Status.FAILED: "danger",
            Status.CANCELED: "default",
        },
    )
    def state(self, job: Job) -> tuple[str, str]:
        return job.status, job.get_status_display()

    @display(description=_("pictures"), ordering="images_total")
    def count(self, job: Job) -> int:
        return job.images_total

    @display(description=_("submitted"), ordering="created_at")
    def submitted(self, job: Job) -> str:
        return moment(job.created_at)

    @display(description=_("took"))
    def took(self, job: Job) -> str:
        if job.started_at is None or job.finished_at is None:
            return "–"
        seconds = (job.finished_at - job.started_at).total_seconds()
        return format_html('<span class="kl-nowrap">{} s</span>', f"{seconds:.2f}")

    # Actions ----------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        ours = [
            path("<uuid:job_id>/action/", view(self.action_view), name="jobs_job_action"),
            path("files/<uuid:artifact_id>/", view(self.file_view), name="jobs_job_file"),
            path("thumbnails/<uuid:artifact_id>/", view(self.thumbnail_view), name="jobs_job_thumbnail"),
        ]
        return ours + super().get_urls()

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_job")

    def has_purge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.delete_job")

    @admin.action(description=_("Retry the failed pictures"), permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(
            request,
            queryset,
            lambda count: ngettext("%(count)s job is queued again.", "%(count)s jobs are queued again.", count),
            lambda job: job_retry(actor=caller_of(request).staff_actor(job.team), job=job),
        )

    @admin.action(description=_("Cancel"), permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(
            request,
            queryset,
            lambda count: ngettext("%(count)s job is cancelled.", "%(count)s jobs are cancelled.", count),
            lambda job: job_cancel(actor=caller_of(request).staff_actor(job.team), job=job),
        )

    @admin.action(description=_("Purge with all files"), permissions=["purge"])
    def purge(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        if "confirmed" not in request.POST:
            context = self.admin_site.each_context(request) | {
                "title": _("Purge jobs"),
                "opts": self.opts,
                "count": queryset.count(),
                "ids": list(queryset.values_list("pk", flat=True)),
            }
            return TemplateResponse(request, "admin/jobs/job/purge.html", context)
        self._each(
            request,
            queryset,
            lambda count: ngettext("%(count)s job is purged.", "%(count)s jobs are purged.", count),
            lambda job: job_purge(actor=caller_of(request).staff_actor(job.team), jobs=[job]),
        )
        return None

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Job]) -> StreamingHttpResponse:
        rows = queryset.prefetch_related(None).select_related("team", "user", "api_key")
        audit_append(action=Action.JOBS_EXPORTED, author=caller_of(request).author(), after={"jobs": rows.count()})
        lines = csv_lines(CSV_COLUMNS, _csv_rows(rows))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="jobs.csv"'
        return response

    def action_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Run an action on one job, then redirect. The POST field `do` names the action: retry, cancel or purge.

        Raise Http404 if the method is not POST, if the action is unknown, or if the user may not run it. GET is not
        accepted, so that links and link previews have no effect.
        """
        actions = {"retry": self.retry, "cancel": self.cancel, "purge": self.purge}
        name = request.POST.get("do", "")
        allowed = self._allowed(request)
        if request.method != "POST" or name not in actions or not allowed[name]:
            raise Http404
        actions[name](request, self.get_queryset(request).filter(pk=job_id))
        if name == "purge":
            return redirect("admin:jobs_job_changelist")
        return redirect("admin:jobs_job_change", job_id)

    def file_view(self, request: HttpRequest, artifact_id: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise Http404
        return artifact_open(request, artifact_id)

    def thumbnail_view(self, request: HttpRequest, artifact_id: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise Http404
        return thumbnail(artifact_id)

    def _allowed(self, request: HttpRequest) -> dict[str, bool]:
        operate = self.has_operate_permission(request)
        return {"retry": operate, "cancel": operate, "purge": self.has_purge_permission(request)}

    def _each(
        self,
        request: HttpRequest,
        jobs: Iterable[Job],
        said: Callable[[int], str],
        act: Callable[[Job], object],
    ) -> None:
        """Run an action on each job, and show how many jobs succeeded and which errors occurred.

        said: a function that returns the message for a number of successful jobs.
        act: a function that runs the action on a job. A job for which it returns a false value does not count as
        successful.
        """
        count = 0
        refused: dict[str, int] = {}
        for job in jobs:
            try:
                count += bool(act(job))
            except MattingError as error:
                reason = explained_error(error)
                refused[reason] = refused.get(reason, 0) + 1
        messages.success(request, said(count) % {"count": count})
        for message, times in refused.items():
            messages.warning(request, f"{times}: {message}")


def _csv_rows(jobs: QuerySet[Job]) -> Iterator[list[object]]:
    for job in jobs.iterator(chunk_size=2000):
        yield [
            job.id,
            job.external_id,
            job.team.name,
            job.user.get_username() if job.user else "",
            job.api_key.public_id if job.api_key else "",
            *(getattr(job, name) for name in CSV_COLUMNS[5:]),
        ]
