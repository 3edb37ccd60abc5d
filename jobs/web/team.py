"""The page of the team, with its members, invitations and settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from jobs.models import Membership
from jobs.teams.invitations import invitation_create, invitation_revoke
from jobs.teams.selectors import invitation_get, invitations_open, member_get, members_of
from jobs.teams.teams import member_remove, member_role_change, team_update
from jobs.web import words
from jobs.web.session import ActionsPage

_Role = Membership.Role
# The most used role comes first.
ROLE_NAMES = [(role.value, role.label) for role in (_Role.MEMBER, _Role.ADMIN, _Role.OWNER)]


class TeamForm(forms.Form):
    """Form for the settings of the team."""

    name = forms.CharField(label=_("Name"), max_length=120)
    members_see_all = forms.BooleanField(label=_("Members see all pictures of the team"), required=False)
    quality = forms.ChoiceField(
        label=_("Quality where none is chosen"),
        required=False,
        choices=[("", _("The site's default")), *words.QUALITIES.items()],
    )
    review_above = forms.FloatField(
        label=_("Report pictures from this uncertainty on"),
        required=False,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput({"step": "0.05"}),
        help_text=_("They go to the team's webhooks as the event image.uncertain. Leave empty to report none."),
    )


class InvitationForm(forms.Form):
    """Form to invite a person to the team."""

    note = forms.CharField(label=_("Recipient"), max_length=120, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_NAMES)


class TeamView(ActionsPage):
    """Page that shows the team and runs the actions of its buttons. The actions check the user's permissions."""

    template_name = "team.html"
    section = "team"
    page_url_name = "site:team"
    actions = {
        "update": "_update",
        "invite": "_invite",
        "uninvite": "_uninvite",
        "role": "_change_role",
        "remove": "_remove",
    }

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        actor = self.actor
        team = actor.team
        settings = {name: getattr(team, name) for name in TeamForm.base_fields}
        values.setdefault("team_form", TeamForm(settings))
        values.setdefault("invitation_form", InvitationForm())
        return super().get_context_data(
            team=team,
            members=members_of(actor),
            invitations=invitations_open(actor),
            is_manager=actor.is_manager,
            roles=ROLE_NAMES,
            **values,
        )

    def _update(self, request: HttpRequest) -> HttpResponse | None:
        form = self.typed["team_form"] = TeamForm(request.POST)
        if not form.is_valid():
            return self.shown_again()
        team_update(actor=self.actor, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return None

    def _invite(self, request: HttpRequest) -> HttpResponse:
        form = self.typed["invitation_form"] = InvitationForm(request.POST)
        if not form.is_valid():
            return self.shown_again()
        _invitation, token = invitation_create(actor=self.actor, **form.cleaned_data)
        return self.shown_once(link=request.build_absolute_uri(reverse("site:invitation", args=[token])))

    def _uninvite(self, request: HttpRequest) -> None:
        invitation_revoke(actor=self.actor, invitation=invitation_get(self.actor, request.POST.get("id", "")))

    def _change_role(self, request: HttpRequest) -> None:
        membership = member_get(self.actor, request.POST.get("id", ""))
        member_role_change(actor=self.actor, membership=membership, role=request.POST.get("role", ""))

    def _remove(self, request: HttpRequest) -> HttpResponse | None:
        membership = member_get(self.actor, request.POST.get("id", ""))
        member_remove(actor=self.actor, membership=membership)
        return redirect("site:home") if membership.user_id == request.user.pk else None
