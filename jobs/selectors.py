"""Stage 9, rendering: the only readers of a user's objects, so that ownership is checked in one place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet, Sum, prefetch_related_objects
from django.utils import timezone

from jobs.actor import Actor
from jobs.errors import JobNotFound, NotFound
from jobs.models import (
    ApiKey,
    Artifact,
    Invitation,
    Job,
    JobImage,
    Membership,
    ModelVersion,
    Preset,
    Status,
    Upload,
    UsageEntry,
    Webhook,
    WebhookDelivery,
)
from segmentation.errors import MattingError


def jobs_of(actor: Actor) -> QuerySet[Job]:
    """List what the actor may see: the team's jobs, or a plain member's own when the team is set so."""
    jobs = Job.objects.filter(team=actor.team)
    return jobs.filter(user=actor.user) if _sees_only_own(actor) else jobs


def job_get(actor: Actor, job_id: UUID | str) -> Job:
    """Give one job; raise JobNotFound alike for one that is not there and for another team's."""
    job = jobs_of(actor).filter(pk=job_id).first()
    if job is None:
        raise JobNotFound
    return job


def jobs_filtered(actor: Actor, chosen: Mapping[str, Any]) -> QuerySet[Job]:
    """Narrow the actor's jobs by `status`, `dialect`, `created_after` and `created_before`, newest first.

    Their pictures and artifacts are at hand, so that a list costs the same queries whatever its length.
    """
    jobs = jobs_of(actor)
    for name in ("status", "dialect"):
        if chosen.get(name):
            jobs = jobs.filter(**{name: chosen[name]})
    if chosen.get("created_after"):
        jobs = jobs.filter(created_at__gte=chosen["created_after"])
    if chosen.get("created_before"):
        jobs = jobs.filter(created_at__lt=chosen["created_before"])
    return jobs.prefetch_related("images__artifacts").order_by("-created_at", "id")


def jobs_kept(actor: Actor, dialect: str, chosen: Mapping[str, Any]) -> QuerySet[Job]:
    """List the actor's jobs of one dialect whose retention is not over, narrowed as `jobs_filtered` does."""
    return jobs_filtered(actor, {**chosen, "dialect": dialect}).filter(expires_at__gt=timezone.now())


def job_by_external_id(actor: Actor, dialect: str, external_id: str) -> Job:
    if not external_id.isprintable() or not external_id:  # PostgreSQL takes no NUL
        raise JobNotFound
    job = jobs_of(actor).filter(dialect=dialect, external_id=external_id).first()
    if job is None:
        raise JobNotFound
    return job


def external_id_is_taken(dialect: str, external_id: str) -> bool:
    return Job.objects.filter(dialect=dialect, external_id=external_id).exists()


def job_by_idempotency_key(actor: Actor, idempotency_key: str) -> Job | None:
    """Give the job that this key made while it is remembered, among those that the actor may see."""
    oldest = timezone.now() - Job.IDEMPOTENCY_KEY_LIFE
    return jobs_of(actor).filter(idempotency_key=idempotency_key, created_at__gt=oldest).first()


def images_of(job: Job) -> list[JobImage]:
    """List a job's pictures in order, with their artifacts at hand; reads the prefetched ones where they are."""
    images = list(job.images.all())
    prefetch_related_objects(images, "artifacts")
    return images


def image_at(job: Job, position: int | None = None) -> JobImage:
    """Give a job's picture at `position`, without one the first; a position is no index, as deletions leave gaps."""
    images = job.images.prefetch_related("artifacts").order_by("position")
    image = (images if position is None else images.filter(position=position)).first()
    if image is None:
        raise NotFound("The job has no picture at this position, or it has been deleted.")
    return image


def images_recent(actor: Actor, count: int) -> list[JobImage]:
    """List the newest pictures that the actor may see and that were cut out, with their artifacts at hand."""
    images = JobImage.objects.filter(job__in=jobs_of(actor), status=Status.SUCCEEDED)
    return list(images.select_related("job").prefetch_related("artifacts").order_by("-finished_at")[:count])


def images_filtered(actor: Actor, chosen: Mapping[str, Any]) -> QuerySet[JobImage]:
    """Narrow the pictures the actor may see by `q` (name), `status`, `subject`, `dialect`, `since`, `until`, `mine`."""
    images = JobImage.objects.filter(job__in=jobs_of(actor)).select_related("job").prefetch_related("artifacts")
    lookups = {
        "q": "name__icontains",
        "status": "status",
        "subject": "subject",
        "dialect": "job__dialect",
        "since": "job__created_at__date__gte",
        "until": "job__created_at__date__lte",
    }
    for name, lookup in lookups.items():
        if chosen.get(name):
            images = images.filter(**{lookup: chosen[name]})
    if chosen.get("mine"):
        images = images.filter(job__user=actor.user)
    return images.order_by("-job__created_at", "job_id", "position")


def images_chosen(actor: Actor, image_ids: Sequence[str]) -> list[JobImage]:
    """List those of the pictures that the actor may see; what is no id or not theirs is left out."""
    ids = [image_id for image_id in image_ids if _is_uuid(image_id)]
    images = JobImage.objects.filter(pk__in=ids, job__in=jobs_of(actor)).select_related("job__team")
    return list(images.prefetch_related("artifacts").order_by("job_id", "position"))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def artifact_of(image: JobImage, kind: str) -> Artifact | None:
    """Give a picture's newest artifact of one kind; reads the prefetched ones where they are."""
    found = [artifact for artifact in image.artifacts.all() if artifact.kind == kind]
    return found[-1] if found else None


def bundle_of(job: Job) -> Artifact | None:
    """Give the zip of a job's results, where one was wanted and is there."""
    return job.artifacts.filter(kind=Artifact.Kind.ZIP).first()


def artifact_get(actor: Actor, artifact_id: UUID) -> Artifact:
    artifact = Artifact.objects.filter(pk=artifact_id, job__in=jobs_of(actor)).first()
    if artifact is None:
        raise NotFound
    return artifact


def artifact_signed(artifact_id: UUID) -> Artifact:
    """Give an artifact to whoever holds a valid signature for it, which the caller has checked."""
    artifact = Artifact.objects.filter(pk=artifact_id).first()
    if artifact is None:
        raise NotFound
    return artifact


def upload_get(actor: Actor, upload_id: UUID | str) -> Upload:
    """Give one of the team's uploads that has not expired."""
    upload = Upload.objects.filter(pk=upload_id, team=actor.team, expires_at__gt=timezone.now()).first()
    if upload is None:
        raise NotFound("There is no such upload, or its hour is over.")
    return upload


def keys_of(actor: Actor) -> QuerySet[ApiKey]:
    """List the team's keys, newest first."""
    return ApiKey.objects.filter(team=actor.team)


def key_get(actor: Actor, key_id: UUID) -> ApiKey:
    key = keys_of(actor).filter(pk=key_id).first()
    if key is None:
        raise NotFound
    return key


def pictures_by_day(actor: Actor, *, since: dt.date) -> dict[dt.date, int]:
    """Sum the team's ledger by day: what was charged less what was refunded."""
    rows = UsageEntry.objects.filter(team=actor.team, day__gte=since).values("day").annotate(total=Sum("pictures"))
    return {row["day"]: row["total"] for row in rows.order_by("day")}


def members_of(actor: Actor) -> QuerySet[Membership]:
    """List the team's members, first comers first."""
    return Membership.objects.filter(team=actor.team).select_related("user").order_by("created_at")


def member_get(actor: Actor, membership_id: str) -> Membership:
    membership = members_of(actor).filter(pk=membership_id).first() if membership_id.isdecimal() else None
    if membership is None:
        raise NotFound
    return membership


def invitations_open(actor: Actor) -> QuerySet[Invitation]:
    """List the invitations that can still be used, to those who manage the team."""
    if not actor.is_manager:
        return Invitation.objects.none()
    return Invitation.objects.filter(team=actor.team, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())


def invitation_get(actor: Actor, invitation_id: str) -> Invitation:
    invitation = invitations_open(actor).filter(pk=invitation_id).first() if _is_uuid(invitation_id) else None
    if invitation is None:
        raise NotFound
    return invitation


def presets_of(user: User) -> QuerySet[Preset]:
    """List what a person has saved."""
    return Preset.objects.filter(user=user)


def key_by_secret(secret: str) -> ApiKey | None:
    return ApiKey.objects.select_related("team__quota", "created_by").filter(secret_hash=ApiKey.hash_of(secret)).first()


def key_by_public_id(public_id: str) -> ApiKey | None:
    return ApiKey.objects.select_related("team__quota", "created_by").filter(public_id=public_id).first()


def webhooks_of(actor: Actor) -> QuerySet[Webhook]:
    """List the addresses that the actor's team has called, newest first."""
    return Webhook.objects.filter(team=actor.team, kind=Webhook.Kind.ENDPOINT)


def webhook_get(actor: Actor, webhook_id: UUID) -> Webhook:
    webhook = webhooks_of(actor).filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFound
    return webhook


def deliveries_of(actor: Actor) -> QuerySet[WebhookDelivery]:
    """List what was sent about the jobs that the actor may see, to webhooks and callbacks, newest first."""
    deliveries = WebhookDelivery.objects.select_related("webhook").filter(webhook__team=actor.team)
    return deliveries.filter(job__user=actor.user) if _sees_only_own(actor) else deliveries


def delivery_get(actor: Actor, delivery_id: UUID) -> WebhookDelivery:
    delivery = deliveries_of(actor).filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound
    return delivery


def active_model() -> ModelVersion | None:
    return ModelVersion.objects.filter(is_active=True).first()


def error_kinds() -> list[type[MattingError]]:
    """List the kinds of error by their codes, those of the doors among them."""
    kinds = _every_error(MattingError)
    return [kinds[code] for code in sorted(kinds)]


def error_of(code: str, message: str) -> MattingError:
    """Give back the error that a picture or job was stored with."""
    kind = _ERRORS.get(code, MattingError)
    return kind(message)


def _sees_only_own(actor: Actor) -> bool:
    membership = actor.membership
    return membership is not None and not membership.is_manager and not actor.team.members_see_all


def _every_error(root: type[MattingError]) -> dict[str, type[MattingError]]:
    """Map each code to the class nearest to the root that has it."""
    found = {root.code: root}
    for child in root.__subclasses__():
        for code, kind in _every_error(child).items():
            found.setdefault(code, kind)
    return found


_ERRORS = _every_error(MattingError)
# Every public code that a job or picture can have ended with.
ERROR_CODES = tuple(sorted(_ERRORS))
