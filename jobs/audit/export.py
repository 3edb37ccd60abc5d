"""Export audit entries with their hashes as CSV or JSON lines, so that the copy can be verified on another machine."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.models import QuerySet

from jobs.audit.csv_lines import csv_lines
from jobs.audit.trail import Author, audit_append
from jobs.models import Action, AuditEntry

COLUMNS = (
    "number",
    "at",
    "action",
    "actor_name",
    "user_id",
    "key_id",
    "team_id",
    "team_name",
    "address",
    "request_id",
    "object_type",
    "object_id",
    "object_name",
    "before",
    "after",
    "previous_hash",
    "hash",
)
CONTENT_TYPES = {"csv": "text/csv", "jsonl": "application/jsonl"}


def audit_export(*, author: Author, entries: QuerySet[AuditEntry], form: str, filters: str) -> Iterator[str]:
    """Record the export in the audit trail, and return an iterator over the exported lines, oldest entry first.

    form: a key of CONTENT_TYPES (`csv` or `jsonl`).
    filters: the query that selected the entries. The new audit entry contains it.

    The new audit entry about this export is not exported.
    """
    last = AuditEntry.objects.order_by("-number").values_list("number", flat=True).first() or 0
    audit_append(action=Action.AUDIT_EXPORTED, author=author, after={"format": form, "filters": filters})
    chosen = entries.filter(number__lte=last).order_by("number")
    return _csv(chosen) if form == "csv" else _json_lines(chosen)


def _csv(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    return csv_lines(COLUMNS, (_row(entry) for entry in entries.iterator(chunk_size=2000)))


def _row(entry: AuditEntry) -> list[object]:
    values = _values(entry)
    for name in ("before", "after"):
        values[name] = "" if values[name] is None else json.dumps(values[name], ensure_ascii=False, sort_keys=True)
    return [values[name] for name in COLUMNS]


def _json_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    for entry in entries.iterator(chunk_size=2000):
        yield json.dumps(_values(entry), ensure_ascii=False) + "\n"


def _values(entry: AuditEntry) -> dict[str, object]:
    return entry.content() | {"previous_hash": entry.previous_hash, "hash": entry.hash}
