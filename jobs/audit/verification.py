"""Check the audit trail's chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.models import AuditEntry, AuditHead
from jobs.models.audit import GENESIS

_STEP = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold the problems found in the chain, and the number and hash of the last entry that was read."""

    problems: list[str]
    count: int
    last_number: int
    last_hash: str


def audit_verify(*, first_problems: int = 50) -> Verdict:
    """Read the whole chain and list what was changed, removed, inserted or cut off at its end."""
    *_, verdict = audit_verify_steps(first_problems=first_problems)
    return verdict


def audit_verify_steps(*, first_problems: int = 50) -> Iterator[Verdict]:
    """Read the chain as `audit_verify` does; yield the verdict on every thousand entries so far, at last on all."""
    problems: list[str] = []
    number, last_hash, count = 0, GENESIS, 0
    for entry in AuditEntry.objects.order_by("number").iterator(chunk_size=_STEP):
        problems += _problems_of(entry, number, last_hash)
        number, last_hash, count = entry.number, entry.hash, count + 1
        if len(problems) >= first_problems:
            yield Verdict(problems, count, number, last_hash)
            return
        if count % _STEP == 0:
            yield Verdict(list(problems), count, number, last_hash)
    head = AuditHead.objects.filter(pk=AuditHead.PK).first() or AuditHead()
    if head.number > number:
        problems.append(f"entries {number + 1} to {head.number} are missing: the end was cut off")
    elif (head.number, head.hash) != (number, last_hash):
        problems.append(f"the head says entry {head.number}, the last entry is {number}")
    yield Verdict(problems, count, number, last_hash)


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
