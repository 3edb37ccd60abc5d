"""Replace the names of an erased user or team in the audit trail by a pseudonym.

Database triggers reject all other changes of audit entries. A redacted entry keeps its number, time, action, ids and
hash, so the chain stays connected. A new entry records, for each redacted entry, the hash of the remaining content. The
verification accepts only this content.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from jobs.audit.trail import Author, audit_append, head_lock
from jobs.models import Action, AuditEntry, AuditErasure

ERASURES = (Action.USER_ERASED, Action.TEAM_ERASED)
_ENTRIES_PER_RECORD = 500
_FIELDS = ("actor_name", "team_name", "address", "object_name", "before", "after")


@dataclass(frozen=True, slots=True)
class Erased:
    """The user or team to erase, with the pseudonym that replaces its names.

    names: the texts that identify the user or team, such as the name and the e-mail address. Longer texts come first.
    """

    names: tuple[str, ...]
    pseudonym: str

    @classmethod
    def create(cls, kind: str, names: Iterable[str]) -> Erased:
        """Return an Erased object with a random pseudonym. The pseudonym does not reveal the names.

        kind: `user` or `team`. The pseudonym contains this word.
        names: the texts that identify the user or team.
        """
        given = sorted({name for name in names if name}, key=len, reverse=True)
        return cls(tuple(given), f"erased-{kind}-{secrets.token_hex(4)}")

    def hide(self, value: Any) -> Any:
        """Return a copy of a text or JSON value in which the pseudonym replaces each name.

        Only whole words are replaced.
        """
        if isinstance(value, str):
            for name in self.names:
                value = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", self.pseudonym, value)
            return value
        if isinstance(value, Mapping):
            return {key: self.hide(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.hide(one) for one in value]
        return value


def user_redact(*, author: Author, user_id: int, erased: Erased) -> int:
    """Replace a user's names in all entries, and delete the IP addresses in the user's own entries.

    Return the number of redacted entries.

    author: the person or program that erases the user. The new audit entry contains it.
    """
    own = Q(user_id=user_id) | Q(actor_name__in=erased.names)
    found = _entries(own | Q(object_type="user", object_id=str(user_id)) | _mentions(erased))

    def change(entry: AuditEntry) -> None:
        if entry.user_id == user_id or entry.actor_name in erased.names:
            entry.address = None
        _hide_texts(entry, erased)

    with transaction.atomic():
        return _redact(found, change, Action.USER_ERASED, author, str(user_id), erased)


def team_redact(*, author: Author, team_id: Any, erased: Erased) -> int:
    """Replace a team's name in all entries, and delete details of its keys, webhooks and files in its own entries.

    Return the number of redacted entries.

    author: the person or program that erases the team. The new audit entry contains it.
    """
    found = _entries(Q(team_id=team_id) | Q(object_type="team", object_id=str(team_id)) | _mentions(erased))

    def change(entry: AuditEntry) -> None:
        if entry.team_id == team_id and entry.object_type not in ("", "job", "user"):
            entry.object_name, entry.before, entry.after = erased.pseudonym, None, None
        if entry.team_id == team_id and isinstance(entry.after, dict) and "file" in entry.after:
            entry.after = entry.after | {"file": erased.pseudonym}
        _hide_texts(entry, erased)

    with transaction.atomic():
        return _redact(found, change, Action.TEAM_ERASED, author, str(team_id), erased)


def redacted_hashes() -> dict[int, str]:
    """Return a dict from the number of each redacted entry to the hash that its remaining content must have."""
    found: dict[int, str] = {}
    for number, after in (
        AuditEntry.objects.filter(action__in=ERASURES).order_by("number").values_list("number", "after")
    ):
        for text, digest in (after or {}).get("entries", {}).items():
            if int(text) < number:
                found[int(text)] = digest
    return found


def _entries(condition: Q) -> QuerySet[AuditEntry]:
    texts = {"before_text": Cast("before", TextField()), "after_text": Cast("after", TextField())}
    return AuditEntry.objects.annotate(**texts).filter(condition).exclude(action__in=ERASURES).order_by("number")


def _mentions(erased: Erased) -> Q:
    condition = Q()
    for name in erased.names:
        for field in ("actor_name", "team_name", "object_name", "before_text", "after_text"):
            condition |= Q(**{f"{field}__contains": name})
        for field in ("before_text", "after_text"):  # SQLite stores JSON as text with escaped non-ASCII letters
            condition |= Q(**{f"{field}__contains": json.dumps(name)[1:-1]})
    return condition


def _hide_texts(entry: AuditEntry, erased: Erased) -> None:
    limits = {"actor_name": 160, "team_name": 120, "object_name": 255}
    for name, most in limits.items():
        setattr(entry, name, erased.hide(getattr(entry, name))[:most])
    entry.before, entry.after = erased.hide(entry.before), erased.hide(entry.after)


def _redact(
    entries: QuerySet[AuditEntry], change: Any, action: Action, author: Author, object_id: str, erased: Erased
) -> int:
    head_lock()  # until the commit no entry can be appended, so no entry with the name is missed
    AuditErasure.objects.create()
    hashes = dict(_changed(entries, change))
    AuditErasure.objects.all().delete()
    numbers = sorted(hashes)
    for start in range(0, max(1, len(numbers)), _ENTRIES_PER_RECORD):
        part = {str(number): hashes[number] for number in numbers[start : start + _ENTRIES_PER_RECORD]}
        after = {"pseudonym": erased.pseudonym, "entries": part}
        audit_append(action=action, author=author, target_id=object_id, after=after)
    return len(numbers)


def _changed(entries: QuerySet[AuditEntry], change: Any) -> Iterator[tuple[int, str]]:
    for entry in entries.iterator(chunk_size=500):
        before = entry.content()
        change(entry)
        if entry.content() != before:
            AuditEntry.objects.filter(number=entry.number).update(**{name: getattr(entry, name) for name in _FIELDS})
            yield entry.number, entry.expected_hash()
