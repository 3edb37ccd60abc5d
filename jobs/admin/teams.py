"""Admin pages of teams: their members, quotas, invitations and usage."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from jobs.admin.base import AuditedAdmin, DaysFilter, ReadOnly, moment
from jobs.models import Invitation, Membership, Quota, Team, UsageEntry
from jobs.models.team import quality_choices
from jobs.quota.limits import quota_change, quota_reset
from jobs.teams.caller import caller_of
from jobs.teams.teams import membership_drop, membership_put
from jobs.templatetags.keyline_admin import charge_word, dialect_word


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)
    fields = ("user", "role")


class QuotaInline(StackedInline):
    """Form for the quota of a team.

    If the team has no quota row, the site's defaults apply. An empty field of the row means that there is no limit.
    """

    model = Quota
    extra = 0
    max_num = 1
    can_delete = True
    fields = (
        ("images_per_day", "images_per_month", "requests_per_second"),
        ("running_tasks", "pending_tasks", "retention_hours"),
        ("stored_bytes", "max_image_bytes", "max_image_megapixels"),
        "quality_units",
        "dialects",
    )


@admin.register(Team)
class TeamAdmin(AuditedAdmin):
    """Admin pages of teams.

    A team cannot be deleted on these pages, because the deletion would also delete its jobs, usage records and files.
    """

    list_display = ("name", "members_count", "members_see_all", "created_at")
    search_fields = ("name",)
    fields = ("name", "members_see_all", "quality", "dialect_qualities", "trial_percent", "review_above")
    inlines = (MembershipInline, QuotaInline)

    def has_delete_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("memberships")

    @display(description=_("members"))
    def members_count(self, team: Team) -> int:
        return len(team.memberships.all())

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseInlineFormSet, change: bool) -> None:
        """Store members and quotas with the project's own functions, so that each change gets its own audit entry."""
        formset.save(commit=False)
        author = caller_of(request).author()
        for row in formset.deleted_objects:
            if isinstance(row, Membership):
                membership_drop(author=author, membership=row)
            else:
                quota_reset(author=author, team=form.instance)
        for row, fields in formset.changed_objects:
            if isinstance(row, Membership) and "user" in fields:
                membership_drop(author=author, membership=Membership.objects.get(pk=row.pk))
        for row in [*formset.new_objects, *(changed for changed, _row in formset.changed_objects)]:
            if isinstance(row, Membership):
                membership_put(author=author, team=form.instance, user=row.user, role=row.role)
            else:
                quota_change(author=author, team=form.instance, **row.as_json())


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, AuditedAdmin):
    list_display = ("team", "role", "note", "created_by", "created_at", "expires_at", "accepted_by", "revoked_at")
    list_select_related = ("team", "created_by", "accepted_by")
    list_filter = (("team", AutocompleteSelectFilter),)
    search_fields = ("note", "team__name")
    exclude = ("token_hash",)


@admin.register(UsageEntry)
class UsageEntryAdmin(ReadOnly, AuditedAdmin):
    """Read-only admin pages of the usage records, which are charges and refunds."""

    list_display = (
        "when",
        "day",
        "team",
        "kind",
        "pictures",
        "units",
        "quality_text",
        "dialect_text",
        "reason_text",
        "job_id",
    )
    list_select_related = ("team",)
    list_filter = (
        ("team", AutocompleteSelectFilter),
        ("kind", ChoicesDropdownFilter),
        ("created_at", DaysFilter),
    )
    search_fields = ("=job_id",)
    ordering = ("-id",)

    @display(description=_("when"), ordering="created_at")
    def when(self, entry: UsageEntry) -> str:
        return moment(entry.created_at)

    @display(description=_("quality"))
    def quality_text(self, entry: UsageEntry) -> str:
        return str(dict(quality_choices()).get(entry.quality, entry.quality))

    @display(description=_("dialect"))
    def dialect_text(self, entry: UsageEntry) -> str:
        return dialect_word(entry.dialect)

    @display(description=_("reason"))
    def reason_text(self, entry: UsageEntry) -> str:
        return charge_word(entry.reason)
