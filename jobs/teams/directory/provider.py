"""The allauth provider for people in the LDAP directory.

It exists because allauth stores the accounts of all kinds of single sign-on.
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.providers.base import Provider, ProviderAccount

from jobs.teams.directory.person import DirectoryPerson


class DirectoryProvider(Provider):
    id, name = "ldap", "LDAP"
    account_class = ProviderAccount

    def extract_uid(self, data: DirectoryPerson) -> str:
        return data.uid

    def extract_extra_data(self, data: DirectoryPerson) -> dict[str, Any]:
        return {"username": data.username, "groups": data.groups}

    def extract_common_fields(self, data: DirectoryPerson) -> dict[str, Any]:
        return {
            "username": data.username,
            "email": data.email,
            "first_name": data.first_name,
            "last_name": data.last_name,
        }


provider_classes = [DirectoryProvider]
