"""Base classes of the admin pages. They write audit entries for changes, make pages read-only and filter by date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import BaseModelAdmin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str

from jobs.admin.paging import BoundedPaginator
from jobs.audit.trail import audit_append
from jobs.models import Action
from jobs.teams.caller import caller_of

_CHANGES = "keyline_changes"  # the name of an attribute of the request
_SECRETS = ("password", "secret", "previous_secret", "secret_hash", "token_hash")


class AuditedAdmin(ModelAdmin):
    """Base class of admin pages. It writes an audit entry with the old and the new values for each change."""

    list_fullwidth = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each count would read all rows again
    list_per_page = 25
    paginator: type[Paginator] = BoundedPaginator
    list_filter_submit = True

    def construct_change_message(self, request: HttpRequest, form: BaseForm, formsets: Any, add: bool = False) -> Any:
        """Return Django's message about a form, and store the changes of the form on the request for `log_change`.

        Django calls this method for each saved form, before it calls `log_addition` or `log_change`.

        add: whether the form adds an object; if it does, no changes are stored.
        """
        setattr(request, _CHANGES, ({}, {}) if add else _changes_of(form))
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Model, message: object) -> Any:
        audit_append(action=Action.ADMIN_ADDED, author=caller_of(request).author(), target=obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: object) -> Any:
        before, after = getattr(request, _CHANGES, ({}, {}))
        if before or after or not isinstance(message, list):
            audit_append(
                action=Action.ADMIN_CHANGED, author=caller_of(request).author(), target=obj, before=before, after=after
            )
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        for obj in queryset:
            audit_append(action=Action.ADMIN_DELETED, author=caller_of(request).author(), target=obj)
        return super().log_deletions(request, queryset)


def moment(value: dt.datetime | None) -> SafeString | str:
    """Return a time as HTML without line breaks, in the site's time zone and to the second; a dash for None."""
    if value is None:
        return "–"
    return format_html('<span class="kl-nowrap">{}</span>', moment_text(value))


def moment_text(value: dt.datetime) -> str:
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")


class ReadOnly(BaseModelAdmin):
    """Mixin for admin pages on which rows can be viewed, but not added, changed or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class DaysFilter(RangeDateFilter):
    """Filter rows by a time field: from a first day to a last day, both included, in the site's time zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        first = self._day("_from")
        last = self._day("_to")
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": _midnight(first)})
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": _midnight(last + dt.timedelta(days=1))})
        return queryset

    def _day(self, end: str) -> dt.date | None:
        value = self.used_parameters.get(f"{self.parameter_name}{end}")
        return parse_date_str(value) if value else None


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _changes_of(form: BaseForm) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of the changed fields before the change and after the change.

    The values of secret fields are replaced by the words "hidden" and "changed".
    """
    before, after = {}, {}
    for name in form.changed_data:
        hidden = any(word in name for word in _SECRETS)
        before[name] = "hidden" if hidden else _plain(form.initial.get(name))
        after[name] = "changed" if hidden else _plain(form.cleaned_data.get(name))
    return before, after


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, QuerySet | list | tuple | set):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str | dict) else str(value)
