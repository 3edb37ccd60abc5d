"""Stage 1 in the browser: who acts, and for which of their teams."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from jobs.actor import Actor
from jobs.api.auth import client_address
from jobs.models import Membership

TEAM_KEY = "team_id"


def chosen_membership(request: HttpRequest, memberships: Sequence[Membership]) -> Membership | None:
    """Give the membership of the team chosen in the bar, or the user's first."""
    chosen = request.session.get(TEAM_KEY)
    return next((entry for entry in memberships if str(entry.team_id) == chosen), next(iter(memberships), None))


class TeamPage(LoginRequiredMixin):
    """Give a page's view its `actor`: the signed-in user, acting for the current team."""

    section = ""

    @property
    def actor(self) -> Actor:
        request = self.request
        memberships = Membership.objects.select_related("team").filter(user=request.user).order_by("created_at")
        membership = chosen_membership(request, list(memberships))
        if membership is None:
            raise PermissionDenied(_("You belong to no team yet."))
        return Actor(
            team=membership.team,
            user=request.user,
            membership=membership,
            address=client_address(request),
            request_id=str(uuid.uuid4()),
        )

    def get_context_data(self, **values: object) -> dict[str, object]:
        return super().get_context_data(section=self.section, **values)
