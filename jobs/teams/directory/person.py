"""What an LDAP directory says about a person, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass


class DirectoryUnavailable(Exception):
    """The directory cannot be reached, or refuses the site itself; the message gives its reason."""


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """What the directory says about a person. `uid` identifies the entry and stays when it is renamed or moved."""

    uid: str
    username: str
    email: str
    first_name: str
    last_name: str
    groups: list[str]
