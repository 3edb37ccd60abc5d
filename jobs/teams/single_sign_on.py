"""Accounts through single sign-on. At each sign-in, a person's groups determine their teams and rights.

With OpenID Connect and SAML, people sign in on allauth's pages. With an LDAP directory, they use the site's own form.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.utils import filter_users_by_email
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, Membership, Team
from jobs.teams.accounts import account_open
from jobs.teams.caller import caller_of
from jobs.teams.group_maps import (
    STAFF_ROLES,
    SUPERUSER,
    staff_groups,
    staff_roles_of_groups,
    team_groups,
    teams_of_groups,
)
from jobs.teams.teams import membership_drop, membership_put, team_create


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Adapter that decides who may get an account through single sign-on.

    People in a group that the settings name always get an account. Other people get one only if sign-up is open.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return is_mapped(sociallogin.account) or settings.MATTING_SIGNUP_OPEN


def directory_sign_in(*, request: HttpRequest, login: SocialLogin) -> User | None:
    """Sign in a person whose password the LDAP directory has accepted, and return the person's account.

    At the first sign-in, a new account is created. If allauth trusts the directory's e-mail addresses, an existing
    account with the same address is used instead. The teams and rights of the person's groups are applied to the
    account. Return None if no account may be created.
    login: the person's data in allauth's form.
    """
    caller = caller_of(request)
    with transaction.atomic():
        login.lookup()
        if login.is_existing:
            login._accept_login(request)
        elif get_adapter(request).is_open_for_signup(request, login):
            _account_create(request, login)
        else:
            return None
        author = caller.author_as(login.user)
        groups_apply(user=login.user, groups=groups_of(login.account), author=author)
    return login.user


def _account_create(request: HttpRequest, login: SocialLogin) -> None:
    """Create a new account for a person.

    If the user name is in use, a number is added to it. If the e-mail address is in use, the account gets no address.
    """
    login.email_addresses = [address for address in login.email_addresses if not filter_users_by_email(address.email)]
    login.user.email = login.email_addresses[0].email if login.email_addresses else ""
    names = [login.user.username, "user"]
    login.user.username = get_account_adapter(request).generate_unique_username(names)
    user = get_adapter(request).save_user(request, login)
    has_team = bool(teams_of_groups(groups_of(login.account)))
    account_open(user=user, author=caller_of(request).author_as(user), with_team=not has_team)


def is_mapped(account: SocialAccount) -> bool:
    """Return whether a person's groups give the person a team or staff rights.

    MATTING_GROUP_TEAMS and MATTING_GROUP_STAFF define this.
    """
    groups = groups_of(account)
    return bool(teams_of_groups(groups) or staff_roles_of_groups(groups))


def groups_of(account: SocialAccount) -> list[str]:
    """Return the names of a person's groups from the data that the provider sent.

    The names come from the user info, otherwise from the id token, otherwise from the attributes. Return an empty list
    if the data contain no groups.
    """
    name = settings.SIGN_ON_GROUPS.get(account.provider, "groups")
    said = account.extra_data
    for part in (said.get("userinfo"), said.get("id_token"), said):
        found = part.get(name) if isinstance(part, dict) else None
        if isinstance(found, list):
            return [str(group).removeprefix("/") for group in found]
        if isinstance(found, str):
            return [found]
    return []


def groups_apply(*, user: User, groups: list[str], author: Author) -> None:
    """Give a user the teams, roles and rights of their current groups, and remove those of former groups.

    Teams and rights that are not in the settings MATTING_GROUP_TEAMS and MATTING_GROUP_STAFF do not change.
    """
    with transaction.atomic():
        _teams_apply(user, teams_of_groups(groups), author)
        if staff_groups():
            _staff_apply(user, staff_roles_of_groups(groups), author)


def _teams_apply(user: User, wanted: dict[str, str], author: Author) -> None:
    for name, role in wanted.items():
        team = Team.objects.filter(name=name).first() or team_create(name=name, author=author)
        membership_put(author=author, team=team, user=user, role=role)
    left = {entry.team for entry in team_groups()} - set(wanted)
    for membership in Membership.objects.filter(user=user, team__name__in=left).select_related("team", "user"):
        membership_drop(author=author, membership=membership)


def _staff_apply(user: User, wanted: set[str], author: Author) -> None:
    before = _staff_roles(user)
    if before == wanted:
        return
    user.is_superuser = SUPERUSER in wanted
    user.is_staff = bool(wanted)
    user.save(update_fields=["is_superuser", "is_staff"])
    user.groups.remove(*Group.objects.filter(name__in=STAFF_ROLES))
    user.groups.add(*Group.objects.filter(name__in=wanted))
    audit_append(
        action=Action.ROLE_CHANGED,
        author=author,
        target=user,
        before={"staff": sorted(before)},
        after={"staff": sorted(wanted)},
    )


def _staff_roles(user: User) -> set[str]:
    if not user.is_staff:
        return set()
    found = set(user.groups.filter(name__in=STAFF_ROLES).values_list("name", flat=True))
    return found | ({SUPERUSER} if user.is_superuser else set())
