"""Stage 3, state: append to the audit trail, in the transaction of the deed, and verify its chain."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone

from jobs.models import Action, AuditEntry, AuditHead, Team
from jobs.models.audit import GENESIS
from jobs.teams.actor import Actor

_HEAD = 1
_EXPONENT_FROM = 1e16  # from here on Python writes 1e+16


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Say who did it and from where, as text that outlives user, key and team."""

    name: str = "system"
    user_id: int | None = None
    key_id: str = ""
    team_id: uuid.UUID | None = None
    team_name: str = ""
    address: str | None = None
    request_id: str = ""

    @classmethod
    def of(cls, actor: Actor | None) -> Author:
        """Describe an actor; None is the site itself."""
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
    def person(cls, user: User, *, team: Team | None = None, address: str | None = None) -> Author:
        """Describe a person who acts for no team, or for `team`."""
        return cls(
            name=user.get_username(),
            user_id=user.pk,
            team_id=None if team is None else team.pk,
            team_name="" if team is None else team.name,
            address=address,
        )


def audit_append(
    *,
    action: Action,
    author: Author,
    target: models.Model | None = None,
    target_id: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write one entry at the end of the chain.

    The chain's head stays locked until the transaction ends, so call this last in it: then two deeds never wait for
    each other's other rows, and the lock is held for the commit alone.
    """
    with transaction.atomic():
        head = _head_locked()
        entry = AuditEntry(
            number=head.number + 1,
            at=timezone.now(),
            action=action,
            actor_name=_clean(author.name, 160),
            user_id=author.user_id,
            key_id=author.key_id,
            team_id=author.team_id,
            team_name=_clean(author.team_name, 120),
            address=author.address,
            request_id=_clean(author.request_id, 64),
            object_type="" if target is None else target._meta.model_name,
            object_id=target_id[:64] or ("" if target is None else str(target.pk)),
            object_name="" if target is None else _clean(str(target), 255),
            before=_plain(before),
            after=_plain(after),
            previous_hash=head.hash,
        )
        entry.hash = entry.expected_hash()
        entry.save(force_insert=True)
        AuditHead.objects.filter(pk=_HEAD).update(number=entry.number, hash=entry.hash)
    return entry


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say what is wrong with the chain, and how far it was read."""

    problems: list[str]
    count: int
    last_number: int
    last_hash: str


def audit_verify(*, first_problems: int = 50) -> Verdict:
    """Read the whole chain and name what was changed, removed, inserted or cut off at its end."""
    problems: list[str] = []
    number, last_hash, count = 0, GENESIS, 0
    for entry in AuditEntry.objects.order_by("number").iterator(chunk_size=1000):
        problems += _problems_of(entry, number, last_hash)
        number, last_hash, count = entry.number, entry.hash, count + 1
        if len(problems) >= first_problems:
            return Verdict(problems, count, number, last_hash)
    head = AuditHead.objects.filter(pk=_HEAD).first() or AuditHead()
    if head.number > number:
        problems.append(f"entries {number + 1} to {head.number} are missing: the end was cut off")
    elif (head.number, head.hash) != (number, last_hash):
        problems.append(f"the head says entry {head.number}, the last entry is {number}")
    return Verdict(problems, count, number, last_hash)


def _problems_of(entry: AuditEntry, number: int, last_hash: str) -> Iterator[str]:
    if entry.number != number + 1:
        missing = (
            f"entry {number + 1} is"
            if entry.number == number + 2
            else f"entries {number + 1} to {entry.number - 1} are"
        )
        yield f"{missing} missing"
    elif entry.previous_hash != last_hash:
        yield f"entry {entry.number} does not follow entry {number}: one of them was replaced"
    if entry.hash != entry.expected_hash():
        yield f"entry {entry.number} was changed"


def _head_locked() -> AuditHead:
    """Lock the chain's newest link; the first entry ever makes it."""
    rows = AuditHead.objects.select_for_update().filter(pk=_HEAD)
    head = rows.first()
    if head is None:
        AuditHead.objects.bulk_create([AuditHead(pk=_HEAD)], ignore_conflicts=True)
        head = rows.get()
    return head


def _clean(text: str, length: int | None = None) -> str:
    """Cut text to what its column holds. PostgreSQL takes neither NUL nor half of a pair of surrogates."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:length]


def _plain(values: Mapping[str, Any] | None) -> Any:
    """Turn values into the JSON that the database will give back, so that the hash is the same on reading."""
    if values is None:
        return None
    text = json.dumps(values, cls=DjangoJSONEncoder)
    return _cleaned(json.loads(text, parse_float=_number, parse_constant=str))


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return _clean(value)
        case dict():
            return {_clean(name): _cleaned(inner) for name, inner in value.items()}
        case list():
            return [_cleaned(inner) for inner in value]
    return value


def _number(text: str) -> int | float:
    """Read a fraction. PostgreSQL writes out what Python gives an exponent, and knows no negative zero."""
    value = float(text)
    return int(value) if abs(value) >= _EXPONENT_FROM else value + 0.0
