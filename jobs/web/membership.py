"""Stage 1 in the browser: join a team by a link, and choose which of one's teams one acts for."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View

from jobs.errors import NotFound
from jobs.models import Membership
from jobs.teams.caller import client_address
from jobs.teams.sign_in import INVITATION_KEY
from jobs.teams.teams import invitation_accept, invitation_of
from jobs.web.session import TEAM_KEY, ButtonsOnly


class InvitationView(View):
    """Show an invitation to whoever holds its link; joining takes a click, so that a preview of the link joins nothing.

    A stranger may sign up with it even where sign-up is closed: the session remembers the link until then.
    """

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            invitation = invitation_of(token)
        except NotFound:
            return render(request, "invitation.html", status=404)
        request.session[INVITATION_KEY] = token
        return render(request, "invitation.html", {"invitation": invitation})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect(request.path)
        try:
            membership = invitation_accept(user=request.user, token=token, address=client_address(request))
        except NotFound:
            return render(request, "invitation.html", status=404)
        request.session.pop(INVITATION_KEY, None)
        request.session[TEAM_KEY] = str(membership.team_id)
        messages.success(request, _("You are now in the team %(team)s.") % {"team": membership.team.name})
        return redirect("site:home")


class TeamSwitchView(ButtonsOnly, LoginRequiredMixin, View):
    """Act for another of one's teams from now on."""

    address = "site:home"

    def post(self, request: HttpRequest) -> HttpResponse:
        request.session[TEAM_KEY] = str(self._chosen(request.POST.get("team", "")).team_id)
        target = request.POST.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
        return redirect(target if is_ours else self.address)

    def _chosen(self, text: str) -> Membership:
        try:
            membership = Membership.objects.filter(user=self.request.user, team_id=UUID(text)).first()
        except ValueError:
            membership = None
        if membership is None:
            raise Http404
        return membership
