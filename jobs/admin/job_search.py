"""Search for jobs by one of their ids. The queries use database indexes."""

from __future__ import annotations

from uuid import UUID

from jobs.models import Artifact, Job, JobImage, WebhookDelivery


def job_ids_for(term: str) -> set[UUID]:
    """Return the ids of the jobs that `term` identifies; an empty set if no job is found.

    `term` may be the id of a job, picture or file, a dialect's own id of the job (such as a task id), the request id of
    a response, the id of a webhook message, or the storage path of a result.
    """
    found = set(Job.objects.filter(external_id=term).values_list("pk", flat=True))
    found |= set(Job.objects.filter(request_id=term).values_list("pk", flat=True))
    found |= set(Artifact.objects.filter(key=term.lstrip("/")).values_list("job_id", flat=True))
    if term.startswith("msg_"):
        deliveries = WebhookDelivery.objects.filter(message_id=term, job__isnull=False)
        found |= set(deliveries.values_list("job_id", flat=True))
    found |= _by_uuid(term)
    return found


def _by_uuid(term: str) -> set[UUID]:
    try:
        value = UUID(term)
    except ValueError:
        return set()
    found = set(Job.objects.filter(pk=value).values_list("pk", flat=True))
    found |= set(JobImage.objects.filter(pk=value).values_list("job_id", flat=True))
    found |= set(Artifact.objects.filter(pk=value).values_list("job_id", flat=True))
    # Dialects return ids with hyphens; staff may paste them without.
    return found | set(Job.objects.filter(external_id=str(value)).values_list("pk", flat=True))
