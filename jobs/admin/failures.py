"""The admin's list of pictures that finally failed because of a fault of the site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from jobs.admin.base import AuditedAdmin, ReadOnly
from jobs.models import FailedPicture
from jobs.teams.caller import caller_of
from jobs.work.failures import failed_pictures, failed_pictures_drop, failed_pictures_retry
from segmentation.errors import MattingError


@admin.register(FailedPicture)
class FailedPictureAdmin(ReadOnly, AuditedAdmin):
    """Inspect, retry or dismiss failed pictures, one by one or together."""

    list_display = ("finished_at", "team", "job", "position", "error_code", "fault", "faults", "attempt", "claimed_by")
    list_filter = (("job__urgency", ChoicesDropdownFilter),)
    search_fields = ("=job__id", "=id", "fault")
    actions = ("retry", "drop")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FailedPicture]:
        return failed_pictures()

    @admin.display(description="team")
    def team(self, image: FailedPicture) -> str:
        return str(image.job.team)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("jobs.view_jobimage")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_job")

    @admin.action(description="Retry", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[FailedPicture]) -> None:
        count = 0
        for image in queryset:
            try:
                count += failed_pictures_retry(actor=caller_of(request).staff_actor(image.job.team), images=[image])
            except MattingError as error:
                messages.error(request, f"{image.job_id}, picture {image.position}: {error.message}")
        messages.success(request, f"{count} pictures are queued again.")

    @admin.action(description="Drop from this list", permissions=["operate"])
    def drop(self, request: HttpRequest, queryset: QuerySet[FailedPicture]) -> None:
        count = failed_pictures_drop(author=caller_of(request).author(), images=queryset)
        messages.success(request, f"{count} pictures are dropped from the list.")
