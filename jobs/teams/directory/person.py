"""The data of a person in an LDAP directory, and the error when the directory fails."""

from __future__ import annotations

from dataclasses import dataclass


class DirectoryUnavailable(Exception):
    """The directory cannot be reached, or rejects the site itself; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """A person's data from the directory. `uid` identifies the entry, also after it has been renamed or moved."""

    uid: str
    username: str
    email: str
    first_name: str
    last_name: str
    groups: list[str]
