"""Erase a user: account, sessions, jobs, the teams without another member, and the user's names in the audit trail."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction

from jobs.audit.redaction import Erased, user_redact
from jobs.audit.trail import Author
from jobs.erasure.team import Summary, team_erase
from jobs.models import Invitation, Job, Membership, QueuedMail, Team, Upload
from jobs.results.deletions import files_delete
from jobs.work.retention import job_purge


class ErasureRefused(Exception):
    """Raised when a user cannot be erased. The message gives the reason in one line."""


def user_erase(*, author: Author, user: User) -> Summary:
    """Erase a user in one transaction, and return a summary.

    The function deletes the account, the jobs that the user submitted, and each team that has no other member. API keys
    that the user created belong to their teams and remain, without the user's name.

    Raise ErasureRefused if the user is the last administrator, or the only owner of a team that has other members.

    author: the person or program that erases the user, for the audit trail.
    """
    _require_others(user)
    names = names_of(user)
    erased = Erased.create("user", names)
    user_id = user.pk
    with transaction.atomic():
        jobs = sum(team_erase(author=author, team=team).jobs for team in _own_teams(user))
        jobs += job_purge(actor=None, jobs=Job.objects.filter(user=user).select_related("team"))
        uploads = Upload.objects.filter(user=user)
        files_delete(keys=list(uploads.values_list("key", flat=True)))
        uploads.delete()
        _traces_delete(user, names, erased)
        user.delete()
        entries = user_redact(author=author, user_id=user_id, erased=erased)
    return Summary(erased.pseudonym, jobs, entries)


def names_of(user: User) -> set[str]:
    """Return the texts that identify a user: the user name, all e-mail addresses and the full name."""
    addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return {user.get_username(), user.email, user.get_full_name(), *addresses} - {""}


def sessions_of(user: User) -> Iterable[Session]:
    """Return the sessions of a user.

    The function reads all sessions, because a session stores the user's id in encoded form.
    """
    return [one for one in Session.objects.iterator() if one.get_decoded().get(SESSION_KEY) == str(user.pk)]


def _require_others(user: User) -> None:
    administrators = User.objects.filter(is_superuser=True, is_active=True)
    if user.is_superuser and not administrators.exclude(pk=user.pk).exists():
        raise ErasureRefused(f"{user.get_username()} is the only administrator; make another user one first")
    owner = Membership.Role.OWNER
    for team in Team.objects.filter(memberships__user=user, memberships__role=owner):
        others = team.memberships.exclude(user=user)
        if others.exists() and not others.filter(role=owner).exists():
            raise ErasureRefused(
                f"{user.get_username()} is the only owner of {team.name}; make another member one first"
            )


def _own_teams(user: User) -> list[Team]:
    return [team for team in Team.objects.filter(members=user) if not team.memberships.exclude(user=user).exists()]


def _traces_delete(user: User, names: set[str], erased: Erased) -> None:
    """Delete or redact the rows that contain the user's name but have no foreign key to the account."""
    for session in sessions_of(user):
        session.delete()
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        model.objects.filter(username__in=names).delete()
    for mail in QueuedMail.objects.iterator():
        if names & {address for addresses in mail.recipients.values() for address in addresses}:
            mail.delete()
    for invitation in Invitation.objects.exclude(note="").iterator():
        if (hidden := erased.hide(invitation.note)) != invitation.note:
            Invitation.objects.filter(pk=invitation.pk).update(note=hidden)
