"""Pages to join a team with an invitation link, and to switch to another team of the user."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View

from jobs.errors import NotFound
from jobs.models import Membership
from jobs.teams.caller import TEAM_KEY, caller_of
from jobs.teams.invitations import invitation_accept, invitation_of
from jobs.teams.sign_in import INVITATION_KEY
from jobs.web.session import ButtonsOnly


class InvitationView(View):
    """Page that shows an invitation. A user joins the team by POST, so that a preview of the link has no effect.

    The session stores the token of the link. The invited person can therefore create an account even if sign-up is
    closed.
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
            caller = caller_of(request)
            membership = invitation_accept(user=caller.user, token=token, author=caller.author())
        except NotFound:
            return render(request, "invitation.html", status=404)
        request.session.pop(INVITATION_KEY, None)
        request.session[TEAM_KEY] = str(membership.team_id)
        messages.success(request, _("You are now in the team %(team)s.") % {"team": membership.team.name})
        return redirect("site:home")


class TeamSwitchView(LoginRequiredMixin, ButtonsOnly):
    """View that switches to another team of the user."""

    page_url_name = "site:home"

    def post(self, request: HttpRequest) -> HttpResponse:
        request.session[TEAM_KEY] = str(self._chosen(request.POST.get("team", "")).team_id)
        target = request.POST.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
        return redirect(target if is_ours else self.page_url_name)

    def _chosen(self, text: str) -> Membership:
        for membership in caller_of(self.request).memberships:
            if str(membership.team_id) == text.lower():
                return membership
        raise Http404
