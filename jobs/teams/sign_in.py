"""Stage 1, intake: how sign-up and sign-in, which django-allauth and django-axes do, behave on this site."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.account.views import PasswordResetView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from jobs.errors import NotFound
from jobs.teams.caller import client_address
from jobs.teams.teams import invitation_of

INVITATION_KEY = "invitation"


class AccountAdapter(DefaultAccountAdapter):
    """Open sign-up as the site's setting says, and always to who holds an invitation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.MATTING_SIGNUP_OPEN or _holds_invitation(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Count by the caller's own address; behind a proxy all callers would share the proxy's."""
        return client_address(request) or "unknown"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Leave the counting of wrong passwords to axes; what allauth counts is wrong codes of the second factor."""

    def get_login_stages(self) -> list[str]:
        ours = f"{VerificationStage.__module__}.{VerificationStage.__qualname__}"
        return [ours if stage.endswith(".EmailVerificationStage") else stage for stage in super().get_login_stages()]


class VerificationStage(EmailVerificationStage):
    """Ask for a verified address, but not of accounts that an operator made without one."""

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
    """Give the name or address that somebody tried to sign in with, in lower case: one account, one count."""
    given = credentials or {}
    name = given.get("username") or given.get("email") or ""
    if not name and request is not None:
        name = request.POST.get("login") or request.POST.get("username") or ""
    return str(name).strip().lower()[:150]


def password_reset(request: HttpRequest) -> HttpResponse:
    """Send a link for a new password; say who can help instead where the site sends no mail."""
    if settings.EMAIL_IS_CONFIGURED:
        return PasswordResetView.as_view()(request)
    return render(request, "account/password_reset_unavailable.html")


def locked_out(request: HttpRequest, original: HttpResponse | None, credentials: dict[str, Any]) -> HttpResponse:
    """Answer a sign-in that came after too many failures; django-axes calls it."""
    cooloff = settings.AXES_COOLOFF_TIME
    context = {"minutes": int(cooloff.total_seconds() // 60)}
    response = render(request, "account/locked_out.html", context, status=429)
    response["Retry-After"] = str(int(cooloff.total_seconds()))
    return response
