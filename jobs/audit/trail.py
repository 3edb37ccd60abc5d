"""Append entries to the audit trail, in the same transaction as the recorded action."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone

from jobs.audit.plain_json import clean_text, plain_json
from jobs.models import Action, AuditEntry, AuditHead, Team
from jobs.teams.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The person or program that performs an action, as an audit entry records it.

    The fields are copies of names and ids. They stay in the audit trail when the user, the key or the team is deleted.
    """

    name: str = "system"
    user_id: int | None = None
    key_id: str = ""
    team_id: uuid.UUID | None = None
    team_name: str = ""
    address: str | None = None
    request_id: str = ""

    @classmethod
    def of(cls, actor: Actor | None) -> Author:
        """Return the author for an actor. If the actor is None, the author is the site itself (`system`)."""
        if actor is None:
            return cls()
        return cls(
            name=actor.name,
            user_id=None if actor.user is None else actor.user.pk,
            key_id="" if actor.key is None else actor.key.public_id,
            team_id=actor.team.pk,
            team_name=actor.team.name,
            address=actor.address,
            request_id=actor.request_id,
        )

    @classmethod
    def person(
        cls, user: User, *, team: Team | None = None, address: str | None = None, request_id: str = ""
    ) -> Author:
        """Return the author for a user who is signed in.

        team: the team for which the user acts; None if the user acts for no team.
        address: the user's IP address; None if it is unknown.
        request_id: the id of the HTTP request; empty if there is no request.
        """
        return cls(
            name=user.get_username(),
            user_id=user.pk,
            team_id=None if team is None else team.pk,
            team_name="" if team is None else team.name,
            address=address,
            request_id=request_id,
        )

    def within(self, team: Team) -> Author:
        """Return a copy of this author that acts for `team`."""
        return replace(self, team_id=team.pk, team_name=team.name)


def audit_append(
    *,
    action: Action,
    author: Author,
    target: models.Model | None = None,
    target_id: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry to the chain and return it.

    target: the changed object; None if the action changes no object.
    target_id: the id that is recorded; empty for the id of `target`.
    before, after: the values before and after the action; None if they are not recorded.

    The head of the chain stays locked until the transaction ends. Therefore call this function at the end of a
    transaction: the lock is then held only briefly, and two transactions cannot deadlock.
    """
    with transaction.atomic():
        head = head_lock()
        entry = AuditEntry(
            number=head.number + 1,
            at=timezone.now(),
            action=action,
            actor_name=clean_text(author.name, 160),
            user_id=author.user_id,
            key_id=author.key_id,
            team_id=author.team_id,
            team_name=clean_text(author.team_name, 120),
            address=author.address,
            request_id=clean_text(author.request_id, 64),
            object_type="" if target is None else str(target._meta.model_name),
            object_id=target_id[:64] or ("" if target is None else str(target.pk)),
            object_name="" if target is None else clean_text(str(target), 255),
            before=plain_json(before),
            after=plain_json(after),
            previous_hash=head.hash,
        )
        entry.hash = entry.expected_hash()
        entry.save(force_insert=True)
        AuditHead.objects.filter(pk=AuditHead.PK).update(number=entry.number, hash=entry.hash)
    return entry


def head_lock() -> AuditHead:
    """Lock the head of the chain and return it. Create the row if it is missing.

    The head is the row that contains the number and the hash of the newest entry. The lock lasts until the transaction
    ends.
    """
    rows = AuditHead.objects.select_for_update().filter(pk=AuditHead.PK)
    head = rows.first()
    if head is None:
        AuditHead.objects.bulk_create([AuditHead(pk=AuditHead.PK)], ignore_conflicts=True)
        head = rows.get()
    return head
