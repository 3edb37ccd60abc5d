"""The page on which users manage the team's webhooks and see their deliveries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from jobs.models import Webhook
from jobs.web import words
from jobs.web.session import ActionsPage
from jobs.webhooks.endpoints import webhook_create, webhook_delete, webhook_rotate, webhook_update
from jobs.webhooks.outbox import delivery_replay, webhook_test
from jobs.webhooks.selectors import deliveries_of, delivery_get, webhook_get, webhooks_of

DELIVERIES_SHOWN = 50


class WebhookForm(forms.Form):
    """Form for a new webhook: its URL and its events."""

    url = forms.CharField(label=_("URL"), max_length=2048, widget=forms.URLInput({"placeholder": "https://"}))
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(event, words.EVENTS[event]) for event in Webhook.Event.values],
        initial=list(Webhook.Event.values),
        widget=forms.CheckboxSelectMultiple,
    )


class WebhooksView(ActionsPage):
    """Page that shows and changes the team's webhooks, shows their deliveries, and sends a delivery again.

    As in the native API, the secret of a webhook is shown only when it is created or replaced.
    """

    template_name = "webhooks.html"
    section = "webhooks"
    page_url_name = "site:webhooks"
    actions = {
        "create": "_create",
        "delivery": "_replay",
        "test": "_test",
        "rotate": "_rotate",
        "delete": "_delete",
        "enable": "_switch",
        "disable": "_switch",
    }

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        actor = self.actor
        values.setdefault("form", WebhookForm())
        return super().get_context_data(
            webhooks=webhooks_of(actor),
            is_manager=actor.is_manager,
            deliveries=deliveries_of(actor).select_related("webhook")[:DELIVERIES_SHOWN],
            **values,
        )

    def _create(self, request: HttpRequest) -> HttpResponse:
        form = self.typed["form"] = WebhookForm(request.POST)
        if not form.is_valid():
            return self.shown_again()
        webhook = webhook_create(actor=self.actor, **form.cleaned_data)
        return self.shown_once(
            told=webhook, news=_("The webhook is created. Copy its secret now: it is shown only once.")
        )

    def _replay(self, request: HttpRequest) -> None:
        delivery = delivery_get(self.actor, _uuid(request.POST.get("id", "")))
        delivery_replay(actor=self.actor, delivery=delivery)
        messages.success(request, _("The message is sent again."))

    def _test(self, request: HttpRequest) -> None:
        webhook_test(actor=self.actor, webhook=self._named(request))
        messages.success(request, _("A test message is on its way. Its response appears in the list of deliveries."))

    def _rotate(self, request: HttpRequest) -> HttpResponse:
        webhook = webhook_rotate(actor=self.actor, webhook=self._named(request))
        news = _("Copy the new secret now: it is shown only once. The old secret stays valid for one day.")
        return self.shown_once(told=webhook, news=news)

    def _delete(self, request: HttpRequest) -> None:
        webhook_delete(actor=self.actor, webhook=self._named(request))

    def _switch(self, request: HttpRequest) -> None:
        is_enabled = request.POST["do"] == "enable"
        webhook_update(actor=self.actor, webhook=self._named(request), is_enabled=is_enabled)

    def _named(self, request: HttpRequest) -> Webhook:
        return webhook_get(self.actor, _uuid(request.POST.get("id", "")))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
