"""The authentication backend that checks the names and passwords of the sign-in form in an LDAP directory."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import filter_users_by_email
from allauth.socialaccount.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from jobs.teams.directory.person import DirectoryUnavailable
from jobs.teams.directory.search import person_sign_in
from jobs.teams.single_sign_on import directory_sign_in
from mattingsite.sign_on import LDAP


class DirectoryBackend(ModelBackend):
    """Authentication backend for the LDAP directory of MATTING_LDAP_URL.

    Django calls the backends for the site's own passwords first. If the directory fails, `authenticate` raises
    DirectoryUnavailable, so that the failure does not count as a wrong password. For an account with a password on this
    site, it returns None instead.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        directory = settings.LDAP_DIRECTORY
        if request is None or directory is None:
            return None
        name = (username or kwargs.get("email") or "").strip()
        try:
            person = person_sign_in(directory, name=name, password=password or "")
        except DirectoryUnavailable:
            if _has_password_here(name):  # a wrong password of this site counts, whatever the directory responds
                return None
            raise
        if person is None:
            return None
        provider = get_adapter(request).get_provider(request, LDAP)
        user = directory_sign_in(request=request, login=provider.sociallogin_from_response(request, person))
        return user if user is not None and self.user_can_authenticate(user) else None


def _has_password_here(name: str) -> bool:
    users = [*User.objects.filter(username__iexact=name), *filter_users_by_email(name)]
    return any(user.has_usable_password() for user in users)
