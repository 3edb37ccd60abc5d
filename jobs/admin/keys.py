"""Admin pages of the API keys of all teams.

On these pages, staff can also grant the scopes `server-files` and `admin`, which give access to the server itself.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from jobs.admin.base import AuditedAdmin, moment
from jobs.models import ApiKey, Scope
from jobs.sentences import explained_error
from jobs.teams.caller import caller_of
from jobs.teams.keys import DEFAULT_SCOPES, key_create, key_revoke, networks_checked
from jobs.templatetags.keyline import scope_words
from segmentation.errors import MattingError


class KeyForm(forms.ModelForm):
    """Form for a new API key.

    Allowed networks are separated by commas. A key without networks may be used from any address.
    """

    scopes = forms.MultipleChoiceField(
        label=_("scopes"), choices=Scope.choices, initial=DEFAULT_SCOPES, widget=forms.CheckboxSelectMultiple
    )
    allowed_networks = forms.CharField(
        label=_("allowed networks"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Separated by commas; empty: from anywhere."),
    )

    class Meta:
        model = ApiKey
        fields = ("team", "name", "scopes", "expires_at", "allowed_networks")

    def clean_allowed_networks(self) -> list[str]:
        texts = [text for text in self.cleaned_data["allowed_networks"].split(",") if text.strip()]
        try:
            return networks_checked(texts)
        except MattingError as error:
            raise ValidationError(explained_error(error)) from None


@admin.register(ApiKey)
class ApiKeyAdmin(AuditedAdmin):
    """Admin pages to create, view and revoke API keys.

    A key cannot be changed. Its secret is shown only once.
    """

    form = KeyForm
    list_display = ("name", "public_id", "team", "scope_text", "state", "used", "expires_at", "created_by")
    list_select_related = ("team", "created_by")
    list_filter = (("team", AutocompleteSelectFilter),)
    search_fields = ("name", "=public_id")
    autocomplete_fields = ("team",)
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_apikey")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return KeyForm.Meta.fields
        shown = ("team", "name", "public_id", "scope_text", "allowed_networks", "expires_at")
        return (*shown, "created_by", "created_at", "last_used_at", "revoked_at")

    @display(description=_("scopes"))
    def scope_text(self, key: ApiKey) -> str:
        return scope_words(key.scopes)

    @display(description=_("last used"), ordering="last_used_at")
    def used(self, key: ApiKey) -> str:
        return moment(key.last_used_at)

    @display(description=_("state"), label={"active": "success", "expired": "warning", "revoked": "danger"})
    def state(self, key: ApiKey) -> tuple[str, Promise]:
        if key.revoked_at is not None:
            return "revoked", _("revoked")
        return ("active", _("active")) if key.is_active else ("expired", _("expired"))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in KeyForm.Meta.fields}
        caller = caller_of(request)
        author = caller.author(team=values["team"])
        key, secret = key_create(**values, created_by=caller.user, author=author)
        obj.__dict__.update(key.__dict__)
        messages.warning(request, _("Copy the secret now, it is shown only once: %(secret)s") % {"secret": secret})

    def log_addition(self, request: HttpRequest, obj: Model, message: object) -> Any:
        """Write no audit entry, because `key_create` has already written an entry."""

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.select_related("team"):
            key_revoke(key=key, author=caller_of(request).author(team=key.team))
        messages.success(request, _("The chosen keys are revoked."))
