"""The page on which users manage the API keys of their team."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from jobs.models import Scope
from jobs.teams.keys import STAFF_SCOPES, gives_staff_scopes, networks_checked, team_key_create, team_key_revoke
from jobs.teams.selectors import key_get, keys_of
from jobs.web.session import ActionsPage
from segmentation.errors import MattingError


class KeyForm(forms.Form):
    """Form for a new API key.

    with_staff_scopes: whether to offer the scopes that only staff may grant.
    """

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("The program that uses the key, such as a shop's server.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=Scope.choices,
        initial=[Scope.SUBMIT, Scope.READ],
        widget=forms.CheckboxSelectMultiple,
    )
    expires_at = forms.DateTimeField(
        label=_("Expires"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"})
    )
    allowed_networks = forms.CharField(
        label=_("Allowed networks"),
        required=False,
        help_text=_("For example 203.0.113.0/24, 2001:db8::/32. Empty allows all."),
    )

    def __init__(self, *args: Any, with_staff_scopes: bool, **values: Any) -> None:
        super().__init__(*args, **values)
        if not with_staff_scopes:
            scopes = self.fields["scopes"]
            assert isinstance(scopes, forms.MultipleChoiceField)
            scopes.choices = [choice for choice in Scope.choices if choice[0] not in STAFF_SCOPES]

    def clean_allowed_networks(self) -> list[str]:
        parts = [part.strip() for part in self.cleaned_data["allowed_networks"].split(",") if part.strip()]
        try:
            return networks_checked(parts)
        except MattingError:
            raise forms.ValidationError(_("Enter networks such as 203.0.113.0/24, separated by commas.")) from None


class KeysView(ActionsPage):
    """Page that shows the team's API keys, and creates and revokes keys. The secret of a new key is shown only once."""

    template_name = "keys.html"
    section = "keys"
    page_url_name = "site:keys"
    actions = {"create": "_create", "revoke": "_revoke"}

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        actor = self.actor
        values.setdefault("form", KeyForm(with_staff_scopes=gives_staff_scopes(self.user)))
        return super().get_context_data(keys=keys_of(actor), is_manager=actor.is_manager, **values)

    def _create(self, request: HttpRequest) -> HttpResponse:
        form = self.typed["form"] = KeyForm(request.POST, with_staff_scopes=gives_staff_scopes(self.user))
        if not form.is_valid():
            return self.shown_again()
        key, secret = team_key_create(actor=self.actor, **form.cleaned_data)
        return self.shown_once(new_key=key, secret=secret)

    def _revoke(self, request: HttpRequest) -> None:
        try:
            key_id = UUID(request.POST.get("id", ""))
        except ValueError:
            raise Http404 from None
        team_key_revoke(actor=self.actor, key=key_get(self.actor, key_id))
