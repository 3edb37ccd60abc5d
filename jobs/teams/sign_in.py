"""Classes and functions that adapt the sign-up and sign-in of django-allauth and django-axes to this site."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.account.views import PasswordResetView
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from jobs.errors import NotFound
from jobs.teams.caller import caller_of
from jobs.teams.directory.person import DirectoryUnavailable
from jobs.teams.invitations import invitation_of

logger = logging.getLogger(__name__)

INVITATION_KEY = "invitation"


class AccountAdapter(DefaultAccountAdapter):
    """Account adapter that allows sign-up if MATTING_SIGNUP_OPEN is set or the visitor has an open invitation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.MATTING_SIGNUP_OPEN or _holds_invitation(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's IP address; `unknown` if the address is missing or invalid.

        allauth would use the proxy's address, which all clients share.
        """
        return caller_of(request).address or "unknown"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Do nothing, because axes counts wrong passwords. allauth counts only wrong codes of the second factor."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Return the user with these credentials; None if they are wrong.

        If the LDAP directory is not available, raise ValidationError with a message that says so.
        """
        try:
            return super().authenticate(request, **credentials)
        except DirectoryUnavailable as error:
            logger.warning("the LDAP directory is not available: %s", error)
            text = gettext("Passwords cannot be checked at the moment. Try again in some minutes.")
            raise ValidationError(text) from None

    def get_login_stages(self) -> list[str]:
        ours = f"{VerificationStage.__module__}.{VerificationStage.__qualname__}"
        return [ours if stage.endswith(".EmailVerificationStage") else stage for stage in super().get_login_stages()]


class VerificationStage(EmailVerificationStage):
    """Sign-in stage that requires a verified e-mail address.

    The requirement does not apply to accounts that staff created without an address.
    """

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if not user.email and not EmailAddress.objects.filter(user=user).exists():
            return None, True
        return super().handle()


def _holds_invitation(request: HttpRequest) -> bool:
    token = request.session.get(INVITATION_KEY, "")
    try:
        return bool(token) and invitation_of(token).is_open
    except NotFound:
        return False


def name_tried(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """Return the user name or e-mail address of a sign-in attempt in lower case; empty if none was sent.

    If the credentials contain no name, the name is read from the form in `request`. The result is in lower case, so
    that all spellings of one name are counted together.
    credentials: the data of the attempt.
    """
    given = credentials or {}
    name = given.get("username") or given.get("email") or ""
    if not name and request is not None:
        name = request.POST.get("login") or request.POST.get("username") or ""
    return str(name).strip().lower()[:150]


def password_reset(request: HttpRequest) -> HttpResponse:
    """Return the page on which a user requests an e-mail with a link to set a new password.

    If the site cannot send e-mail, return a page that tells the user whom to contact.
    """
    if settings.EMAIL_IS_CONFIGURED:
        return PasswordResetView.as_view()(request)
    return render(request, "account/password_reset_unavailable.html")


def locked_out(request: HttpRequest, original: HttpResponse | None, credentials: dict[str, Any]) -> HttpResponse:
    """Return the response with status 429 for a sign-in after too many failures. django-axes calls this function.

    original, credentials: passed by django-axes and not used.
    """
    cooloff = settings.AXES_COOLOFF_TIME
    context = {"minutes": int(cooloff.total_seconds() // 60)}
    response = render(request, "account/locked_out.html", context, status=429)
    response["Retry-After"] = str(int(cooloff.total_seconds()))
    return response
