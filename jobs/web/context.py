"""Stage 9 in the browser: what the bar on every page shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from jobs.models import Membership
from jobs.web.session import chosen_membership


def site(request: HttpRequest) -> dict[str, Any]:
    """Give the user's teams and the current one; nothing for a stranger or in the admin."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or request.path.startswith("/admin/"):
        return {}
    memberships = list(Membership.objects.select_related("team").filter(user=user).order_by("created_at"))
    current = chosen_membership(request, memberships)
    return {"memberships": memberships, "current_team": current.team if current else None, "membership": current}
