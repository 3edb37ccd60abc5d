"""Find jobs by one of their ids. The queries use database indexes."""

from __future__ import annotations

from uuid import UUID

from jobs.models import Artifact, Job, JobImage, WebhookDelivery


def job_ids_for(term: str) -> set[UUID]:
    """Return the ids of the jobs that match the search text `term`; an empty set if no job matches.

    `term` may be one of these:
    - the id of a job, a picture or a file
    - the id that an emulated vendor API gave to the job, such as a task id
    - the request id in a response
    - the id of a webhook message
    - the storage path of a file
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
