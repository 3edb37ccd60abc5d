"""Admin pages of webhooks and their deliveries."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from jobs.admin.base import AuditedAdmin, DaysFilter, ReadOnly
from jobs.models import Webhook, WebhookDelivery
from jobs.webhooks.outbox import delivery_replay


@admin.register(Webhook)
class WebhookAdmin(ReadOnly, AuditedAdmin):
    """Read-only admin pages of webhooks. Secrets are not shown."""

    list_display = ("__str__", "team", "kind", "is_enabled", "disabled_reason", "created_at")
    list_select_related = ("team",)
    list_filter = (("team", AutocompleteSelectFilter), ("kind", ChoicesDropdownFilter))
    search_fields = ("url", "team__name")
    fields = ("team", "kind", "url", "events", "is_enabled", "disabled_reason", "created_by", "created_at")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, AuditedAdmin):
    """Admin pages of webhook deliveries. Staff can queue the message of a delivery to be sent again."""

    list_display = ("created_at", "event", "url", "state", "attempt", "response_status", "elapsed_ms", "error_code")
    list_filter = (("status", ChoicesDropdownFilter), ("event", ChoicesDropdownFilter), ("created_at", DaysFilter))
    search_fields = ("=message_id", "=job__id")
    ordering = ("-created_at",)
    actions = ("replay",)
    fields = (
        ("webhook", "job"),
        ("event", "message_id"),
        "url",
        "payload",
        ("status", "attempt", "next_try_at"),
        ("response_status", "elapsed_ms"),
        "response_prefix",
        ("error_code", "error_message"),
        ("created_at", "tried_at", "finished_at"),
    )

    @display(
        description=_("status"),
        label={"waiting": "info", "sending": "warning", "succeeded": "success", "failed": "danger"},
    )
    def state(self, delivery: WebhookDelivery) -> tuple[str, str]:
        return delivery.status, delivery.get_status_display()

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_webhookdelivery")

    @admin.action(description=_("Send again"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        for delivery in queryset.select_related("webhook", "job"):
            delivery_replay(actor=None, delivery=delivery)
        count = len(queryset)
        message = ngettext("%(count)s message is queued again.", "%(count)s messages are queued again.", count)
        messages.success(request, message % {"count": count})
