"""Stage 1, intake: hears what Django, allauth and axes tell of accounts, and has the services write it down."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as factors
from axes.signals import user_locked_out
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from jobs.models import Action
from jobs.teams.accounts import account_note, account_open, stranger_note
from jobs.teams.caller import client_address
from jobs.teams.sign_in import name_tried


def _address(request: HttpRequest | None) -> str | None:
    return None if request is None else client_address(request)


@receiver(account.user_signed_up)
def on_signed_up(request: HttpRequest, user: User, **kwargs: Any) -> None:
    account_open(user=user, address=_address(request))


@receiver(user_logged_in)
def on_signed_in(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    account_note(action=Action.SIGNED_IN, user=user, address=_address(request))


@receiver(user_logged_out)
def on_signed_out(request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        account_note(action=Action.SIGNED_OUT, user=user, address=_address(request))


@receiver(user_login_failed)
def on_sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    name = name_tried(request, credentials)
    stranger_note(action=Action.SIGN_IN_FAILED, name=name, address=_address(request))


@receiver(user_locked_out)
def on_locked_out(request: HttpRequest, username: str | None = None, **kwargs: Any) -> None:
    stranger_note(action=Action.LOCKED_OUT, name=username or "", address=_address(request))


@receiver([account.password_changed, account.password_reset, account.password_set])
def on_password_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    account_note(action=Action.PASSWORD_CHANGED, user=user, address=_address(request))


@receiver(account.email_changed)
def on_email_changed(request: HttpRequest, user: User, to_email_address: Any, **kwargs: Any) -> None:
    after = {"email": to_email_address.email}
    account_note(action=Action.EMAIL_CHANGED, user=user, address=_address(request), after=after)


@receiver(factors.authenticator_added)
def on_factor_added(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    after = {"type": authenticator.type}
    account_note(action=Action.FACTOR_ADDED, user=user, address=_address(request), after=after)


@receiver(factors.authentication_failed)
def on_factor_failed(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    after = {"type": authenticator.type}
    account_note(action=Action.FACTOR_FAILED, user=user, address=_address(request), after=after)


@receiver(factors.authenticator_removed)
def on_factor_removed(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    after = {"type": authenticator.type}
    account_note(action=Action.FACTOR_REMOVED, user=user, address=_address(request), after=after)
