"""Stage 1, intake: who is asking, in the one form that services and selectors understand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from jobs.models import ApiKey, Membership, Team


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Name the team that acts, and the person or key that acts for it.

    address is the caller's IP address, request_id what our logs and answers call the request.
    """

    team: Team
    user: User | None = None
    key: ApiKey | None = None
    membership: Membership | None = None
    address: str | None = None
    request_id: str = ""

    @property
    def name(self) -> str:
        """Give the text that outlives user and key in the audit trail."""
        if self.user is not None:
            return self.user.get_username()
        return f"key {self.key.name}" if self.key is not None else "system"

    @property
    def is_manager(self) -> bool:
        """Say whether the team's owners and admins would let this through: one of them, or a key with `admin`."""
        if self.key is not None:
            return self.key.has_scope("admin")
        return self.membership is not None and self.membership.is_manager

    def has_scope(self, scope: str) -> bool:
        """Say whether the key holds `scope`; a person in the browser may submit and read."""
        if self.key is not None:
            return self.key.has_scope(scope)
        return scope in ("submit", "read")

    @property
    def sees_only_own(self) -> bool:
        """Check whether this member sees only their own jobs: plain members of a team that hides others' work."""
        membership = self.membership
        return membership is not None and not membership.is_manager and not self.team.members_see_all
