"""The data of a person in an LDAP directory, and the error for a directory that fails."""

from __future__ import annotations

from dataclasses import dataclass


class DirectoryUnavailable(Exception):
    """The LDAP directory cannot be reached, or it rejects the site's own account. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """A person's data from the LDAP directory.

    uid: identifies the person's entry, also after the entry has been renamed or moved.
    groups: the names of the person's groups.
    """

    uid: str
    username: str
    email: str
    first_name: str
    last_name: str
    groups: list[str]
