"""Receivers of the account signals of Django, allauth and axes. They call the services that record the events."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as factors
from axes.signals import user_locked_out
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from jobs.audit.trail import Author
from jobs.models import Action
from jobs.teams.accounts import account_note, account_open, stranger_note
from jobs.teams.caller import caller_of
from jobs.teams.group_maps import teams_of_groups
from jobs.teams.sign_in import name_tried
from jobs.teams.single_sign_on import groups_apply, groups_of


@receiver(account.user_signed_up)
def on_signed_up(request: HttpRequest, user: User, sociallogin: Any = None, **kwargs: Any) -> None:
    mapped = sociallogin is not None and bool(teams_of_groups(groups_of(sociallogin.account)))
    account_open(user=user, author=_author(request, user), with_team=not mapped)


@receiver(account.user_logged_in)
def on_single_sign_on(request: HttpRequest, user: User, sociallogin: Any = None, **kwargs: Any) -> None:
    if sociallogin is not None:
        groups_apply(user=user, groups=groups_of(sociallogin.account), author=_author(request, user))


@receiver(user_logged_in)
def on_signed_in(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    _note(Action.SIGNED_IN, request, user)


@receiver(user_logged_out)
def on_signed_out(request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        _note(Action.SIGNED_OUT, request, user)


@receiver(user_login_failed)
def on_sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    _stranger_note(Action.SIGN_IN_FAILED, request, name_tried(request, credentials))


@receiver(user_locked_out)
def on_locked_out(request: HttpRequest, username: str | None = None, **kwargs: Any) -> None:
    _stranger_note(Action.LOCKED_OUT, request, username or "")


@receiver([account.password_changed, account.password_reset, account.password_set])
def on_password_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    _note(Action.PASSWORD_CHANGED, request, user)


@receiver(account.email_changed)
def on_email_changed(request: HttpRequest, user: User, to_email_address: Any, **kwargs: Any) -> None:
    _note(Action.EMAIL_CHANGED, request, user, after={"email": to_email_address.email})


@receiver(factors.authenticator_added)
def on_factor_added(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    _note(Action.FACTOR_ADDED, request, user, after={"type": authenticator.type})


@receiver(factors.authentication_failed)
def on_factor_failed(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    _note(Action.FACTOR_FAILED, request, user, after={"type": authenticator.type})


@receiver(factors.authenticator_removed)
def on_factor_removed(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    _note(Action.FACTOR_REMOVED, request, user, after={"type": authenticator.type})


def _note(action: Action, request: HttpRequest | None, user: User, after: dict[str, Any] | None = None) -> None:
    account_note(action=action, user=user, author=_author(request, user), after=after)


def _author(request: HttpRequest | None, user: User) -> Author:
    return Author.person(user) if request is None else caller_of(request).author_as(user)


def _stranger_note(action: Action, request: HttpRequest | None, name: str) -> None:
    if request is None:
        stranger_note(action=action, name=name, address=None)
        return
    caller = caller_of(request)
    stranger_note(action=action, name=name, address=caller.address, request_id=caller.request_id)
