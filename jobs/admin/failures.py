"""Admin pages of the pictures that failed because of a fault of the site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from jobs.admin.base import AuditedAdmin, ReadOnly
from jobs.models import FailedPicture
from jobs.sentences import explained_error
from jobs.teams.caller import caller_of
from jobs.work.failures import failed_pictures, failed_pictures_drop, failed_pictures_retry
from segmentation.errors import MattingError


@admin.register(FailedPicture)
class FailedPictureAdmin(ReadOnly, AuditedAdmin):
    """Admin pages of failed pictures. Staff can retry failed pictures or remove them from the list."""

    list_display = ("finished_at", "team", "job", "position", "error_code", "fault", "faults", "attempt", "claimed_by")
    list_filter = (("job__urgency", ChoicesDropdownFilter),)
    search_fields = ("=job__id", "=id", "fault")
    actions = ("retry", "drop")
    fields = (
        ("job", "position", "name"),
        ("error_code", "error_message"),
        ("fault", "faults"),
        ("attempt", "claimed_by"),
        ("enqueued_at", "started_at", "finished_at"),
        ("width", "height", "source_url"),
        "timings_ms",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[FailedPicture]:
        return failed_pictures()

    @admin.display(description=_("team"))
    def team(self, image: FailedPicture) -> str:
        return str(image.job.team)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("jobs.view_jobimage")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_job")

    @admin.action(description=_("Retry"), permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[FailedPicture]) -> None:
        count = 0
        for image in queryset:
            try:
                count += failed_pictures_retry(actor=caller_of(request).staff_actor(image.job.team), images=[image])
            except MattingError as error:
                picture = _("%(job)s, picture %(position)s") % {"job": image.job_id, "position": image.position}
                messages.error(request, f"{picture}: {explained_error(error)}")
        message = ngettext("%(count)s picture is queued again.", "%(count)s pictures are queued again.", count)
        messages.success(request, message % {"count": count})

    @admin.action(description=_("Drop from this list"), permissions=["operate"])
    def drop(self, request: HttpRequest, queryset: QuerySet[FailedPicture]) -> None:
        count = failed_pictures_drop(author=caller_of(request).author(), images=queryset)
        message = ngettext(
            "%(count)s picture is dropped from the list.", "%(count)s pictures are dropped from the list.", count
        )
        messages.success(request, message % {"count": count})
