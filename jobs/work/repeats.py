"""Detection of repeated requests from a client that sends no Idempotency-Key.

A client that receives a timeout, a 5xx status or no response sends its request again. While the first request is
running, or if its response was not delivered, the repeated request returns the job of the first request. In this way,
no picture is processed or charged twice. Two requests are the same if their caller, route, options and picture bytes
are equal. MATTING_REPEAT_WINDOW_S is the longest time between two such requests in seconds; 0 disables the detection.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from jobs.intake.sources import CheckedSource, FileSource, RefusedSource, Source, UrlSource
from jobs.models import Job, Status
from jobs.recipes.selectors import NamedRecipe, recipes_to_json
from jobs.teams.actor import Actor
from segmentation.options import CutoutOptions

if TYPE_CHECKING:
    from jobs.work.submission import Door

_submitted: ContextVar[list[UUID] | None] = ContextVar("submitted", default=None)


def repeat_key_of(
    *,
    actor: Actor,
    door: Door,
    options: CutoutOptions,
    sources: Sequence[Source],
    recipes: Sequence[NamedRecipe] = (),
    corrects: UUID | None = None,
) -> str:
    """Return a hash of a request's caller, route, options and pictures.

    Return an empty string if repeats are not detected for this request.
    door: the API or page of the request, and its values.
    corrects: the id of the picture that the request corrects; None means that the request is not a correction.
    """
    if door.idempotency_key or settings.MATTING_REPEAT_WINDOW_S <= 0:
        return ""
    caller = actor.key.pk if actor.key is not None else actor.user and actor.user.pk
    route = [door.dialect, door.urgency, door.callback_url, door.export_directory, door.retention_hours, corrects]
    # The names in the wire of a batch are generated for each request, so they are not compared.
    wire: dict[str, Any] = {} if door.bundle_key else door.wire
    parts: list[Any] = [
        str(actor.team.pk),
        str(caller),
        route,
        wire,
        options.to_json(),
        [_identity(source) for source in sources],
    ]
    if recipes:
        parts.append(recipes_to_json(recipes))
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def job_repeated(repeat_key: str) -> Job | None:
    """Return the job of an earlier request that is equal to this request, and count the repetition.

    Return None if there is no such job. A job is ignored if it failed, was cancelled or is too old, or if its response
    was delivered.
    repeat_key: the result of `repeat_key_of` for this request.
    """
    if not repeat_key:
        return None
    job = _remembered(repeat_key).first()
    if job is not None:
        Job.objects.filter(pk=job.pk).update(repeats=F("repeats") + 1)
        submission_note(job)
    return job


def repeat_key_free(repeat_key: str) -> None:
    """Remove the key from an older job that must not be returned again, so that a new job can use the key.

    Call this function inside the transaction that writes the new job.
    """
    if repeat_key:
        stale = Job.objects.filter(repeat_key=repeat_key).exclude(pk__in=_remembered(repeat_key))
        stale.update(repeat_key="")


def submission_note(job: Job) -> None:
    """Add the id of a job to the list of `submissions_noted`, if the current code runs in such a context."""
    noted = _submitted.get()
    if noted is not None and job.repeat_key:
        noted.append(job.pk)


@contextmanager
def submissions_noted() -> Iterator[list[UUID]]:
    """Return a context manager that collects the ids of the jobs that are submitted inside its `with` block.

    Its value is the list of ids. Only jobs with a repeat key are collected.
    """
    noted: list[UUID] = []
    token = _submitted.set(noted)
    try:
        yield noted
    finally:
        _submitted.reset(token)


def jobs_delivered(job_ids: Sequence[UUID]) -> None:
    """Record that the response with these jobs has reached the client.

    After that, an equal request creates a new job.
    """
    Job.objects.filter(pk__in=job_ids).update(repeat_key="")


def _remembered(repeat_key: str) -> Any:
    oldest = timezone.now() - dt.timedelta(seconds=settings.MATTING_REPEAT_WINDOW_S)
    can_answer = Q(status__in=(Status.QUEUED, Status.RUNNING, Status.SUCCEEDED))
    return Job.objects.filter(can_answer, repeat_key=repeat_key, created_at__gt=oldest)


def _written(settings: Mapping[str, Any]) -> list[str]:
    return [json.dumps(settings, sort_keys=True)] if settings else []


def _identity(source: Source) -> list[str]:
    match source:
        case CheckedSource():
            return [source.name, source.sha256, *_written(source.settings)]
        case UrlSource():
            return [source.name, source.url]
        case FileSource():
            return [source.name, source.path]
        case RefusedSource():
            return [source.name, source.error.code]
