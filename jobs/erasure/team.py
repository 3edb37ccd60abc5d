"""Erase a team: its jobs, files, keys, webhooks and usage, and its name in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from jobs.audit.redaction import Erased, team_redact
from jobs.audit.trail import Author
from jobs.models import BackgroundPicture, Job, Team, Upload
from jobs.quota.erasure import usage_erase
from jobs.results.deletions import files_delete
from jobs.work.retention import job_purge


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of an erasure: the number of erased jobs and the number of redacted audit entries.

    pseudonym: the text that replaces the erased names in the audit trail.
    """

    pseudonym: str
    jobs: int
    audit_entries: int


def team_erase(*, author: Author, team: Team) -> Summary:
    """Erase a team and everything that it owns in one transaction, and return a summary.

    The members keep their accounts. Jobs in progress are cancelled. Files are deleted after the commit; a failed
    deletion is retried until it succeeds.

    author: the person or program that erases the team, for the audit trail.
    """
    erased = Erased.create("team", [team.name])
    team_id = team.pk
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team_id)
        jobs = job_purge(actor=None, jobs=Job.objects.filter(team=team).select_related("team"))
        for model in (Upload, BackgroundPicture):
            rows = model._default_manager.filter(team=team)
            files_delete(keys=list(rows.values_list("key", flat=True)))
            rows.delete()
        usage_erase(author=author, team=team)
        team.delete()
        entries = team_redact(author=author, team_id=team_id, erased=erased)
    return Summary(erased.pseudonym, jobs, entries)
