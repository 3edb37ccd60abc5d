"""Provide the template context for the navigation bar of the pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from jobs.teams.caller import caller_of


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the user's memberships and the current team, for the navigation bar.

    Return an empty dict for signed-out visitors and in the admin.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or request.path.startswith("/admin/"):
        return {}
    caller = caller_of(request)
    current = caller.membership
    return {
        "memberships": caller.memberships,
        "current_team": current.team if current else None,
        "membership": current,
    }
