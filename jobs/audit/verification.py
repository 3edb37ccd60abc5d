"""Verify the hash chain of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.audit.redaction import redacted_hashes
from jobs.models import AuditEntry, AuditHead
from jobs.models.audit import GENESIS

_STEP = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a verification.

    problems: one message for each problem; empty if the chain is correct.
    count: the number of checked entries.
    last_number, last_hash: the number and the hash of the last checked entry.
    """

    problems: list[str]
    count: int
    last_number: int
    last_hash: str


def audit_verify(*, first_problems: int = 50) -> Verdict:
    """Check the audit chain for changed, missing and inserted entries, and return the result.

    first_problems: the check stops when it has found about this number of problems.

    The content of a redacted entry is compared with the hash that was recorded when its names were replaced.
    """
    *_, verdict = audit_verify_steps(first_problems=first_problems)
    return verdict


def audit_verify_steps(*, first_problems: int = 50) -> Iterator[Verdict]:
    """Check the audit chain for changed, missing and inserted entries.

    Yield the current result after every 1000 entries, and the final result at the end.

    first_problems: the check stops when it has found about this number of problems.
    """
    problems: list[str] = []
    number, last_hash, count = 0, GENESIS, 0
    redacted = redacted_hashes()
    for entry in AuditEntry.objects.order_by("number").iterator(chunk_size=_STEP):
        problems += _problems_of(entry, number, last_hash, redacted.get(entry.number))
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


def _problems_of(entry: AuditEntry, number: int, last_hash: str, redacted: str | None) -> Iterator[str]:
    if entry.number != number + 1:
        missing = (
            f"entry {number + 1} is"
            if entry.number == number + 2
            else f"entries {number + 1} to {entry.number - 1} are"
        )
        yield f"{missing} missing"
    elif entry.previous_hash != last_hash:
        yield f"entry {entry.number} does not follow entry {number}: one of them was replaced"
    if entry.expected_hash() != (redacted or entry.hash):
        yield f"entry {entry.number} was changed"
