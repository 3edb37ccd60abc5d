"""The data of a person in an LDAP directory, and the error for a directory that fails."""

from __future__ import annotations

from dataclasses import dataclass


class DirectoryUnavailable(Exception):
    """The LDAP directory cannot be reached, or it rejects the site itself. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """A person's data from the directory. `uid` identifies the entry, also after it has been renamed or moved."""

    uid: str
    username: str
    email: str
    first_name: str
    last_name: str
    groups: list[str]
