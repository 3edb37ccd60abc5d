"""Delete a team's ledger when the team is erased. No other module can delete ledger lines."""

from __future__ import annotations

from django.db import transaction

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, Team, UsageEntry, UsageErasure, UsagePeriod


def usage_erase(*, author: Author, team: Team) -> int:
    """Delete all usage of a team and return the number of deleted ledger lines.

    An audit entry records the number of lines and the sum of their pictures.

    The triggers of migration 0008 allow the deletion only while the team has a UsageErasure row. This row exists only
    inside this transaction. Delete the team's jobs before this call, and the team after it.
    """
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        lines = UsageEntry.objects.filter(team=team)
        pictures = sum(lines.values_list("pictures", flat=True))
        permission = UsageErasure.objects.create(team_id=team.pk)
        count, _ = lines.delete()
        UsagePeriod.objects.filter(team=team).delete()
        permission.delete()
        before = {"lines": count, "pictures": pictures}
        audit_append(action=Action.USAGE_ERASED, author=author.within(team), target=team, before=before)
    return count
