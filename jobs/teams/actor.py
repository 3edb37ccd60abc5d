"""The actor: the team for which a request acts, and the user or API key that sent the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

# Folders of the server are included, because the operator who opens a network also chooses the folders.
OPEN_SCOPES = ("submit", "read", "server-files")

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from jobs.models import ApiKey, Membership, Team


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The team for which a request acts, and the user or the API key that sent the request.

    membership: the user's membership in the team; None for keys and staff.
    address: the client's IP address; None means that it is unknown.
    request_id: the id of the request in logs and responses.
    network: the open network (`jobs.teams.open_networks`) from which the request came; empty if the request did not
    come from such a network.
    """

    team: Team
    user: User | None = None
    key: ApiKey | None = None
    membership: Membership | None = None
    address: str | None = None
    request_id: str = ""
    network: str = ""

    @property
    def name(self) -> str:
        """Return the actor's name for the audit trail.

        The audit trail keeps this name when the user or key has been deleted.
        """
        if self.user is not None:
            return self.user.get_username()
        if self.network:
            return f"network {self.network}"
        return f"key {self.key.name}" if self.key is not None else "system"

    @property
    def is_manager(self) -> bool:
        """Return whether the actor may manage the team.

        Owners, admins and keys with the scope `admin` may manage it.
        """
        if self.key is not None:
            return self.key.has_scope("admin")
        return self.membership is not None and self.membership.is_manager

    def has_scope(self, scope: str) -> bool:
        """Return whether the actor has the permission `scope`.

        A key has its own scopes, an open network has OPEN_SCOPES, and a user in the browser has `submit` and `read`.
        """
        if self.key is not None:
            return self.key.has_scope(scope)
        if self.network:
            return scope in OPEN_SCOPES
        return scope in ("submit", "read")

    @property
    def sees_only_own(self) -> bool:
        """Return whether this actor may see only their own jobs.

        This is the case for plain members of a team that hides the jobs of other members.
        """
        membership = self.membership
        return membership is not None and not membership.is_manager and not self.team.members_see_all
