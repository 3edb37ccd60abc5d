"""Build the content of the admin's page of one job."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from jobs.admin.base import moment_text
from jobs.models import Artifact, AuditEntry, Job, JobImage, Status, UsageEntry
from jobs.sentences import explained

PICTURES_SHOWN = 24
_BADGES: dict[str, str] = {Status.SUCCEEDED: "good", Status.FAILED: "bad", Status.RUNNING: "busy"}
# In processing order. The stored `total` also includes the time between them.
STAGES = ("queue", "fetch", "decode", "model", "post", "encode")


@dataclass(frozen=True, slots=True)
class Slice:
    """The time that one processing stage of a picture took. The page of the job shows it as a part of a bar.

    percent: the share of the stage in the time of all stages, from 0 to 100.
    """

    stage: str
    duration_ms: float
    percent: float


@dataclass(frozen=True, slots=True)
class PictureRow:
    """The row of one picture on the page of a job.

    pair: HTML with the thumbnails of the source and the result.
    slices: the duration of each processing stage, as the parts of a bar.
    total_ms: the sum of the durations of all stages, in milliseconds.
    files: the stored files of the picture, except the thumbnail.
    """

    image: JobImage
    pair: SafeString
    slices: list[Slice]
    total_ms: float
    files: list[Artifact] = field(default_factory=list)


def job_page(job: Job) -> dict[str, Any]:
    """Return the template context for the page of a job.

    It contains the job's pictures with their times and files, the deliveries of webhooks, the charges and the audit
    entries. Only the first PICTURES_SHOWN pictures are included.
    """
    images = list(job.images.prefetch_related("artifacts").order_by("position")[:PICTURES_SHOWN])
    return {
        "job": job,
        "facts": _facts(job),
        "pictures": [_picture(image) for image in images],
        "not_shown": max(0, job.images_total - len(images)),
        "job_files": list(job.artifacts.filter(image=None)),
        "deliveries": list(job.deliveries.select_related("webhook").order_by("-created_at")[:50]),
        "charges": list(UsageEntry.objects.filter(job_id=job.pk).order_by("id")[:50]),
        "entries": list(AuditEntry.objects.filter(object_id=str(job.pk)).order_by("-number")[:50]),
        "options": json.dumps(job.options, indent=2, ensure_ascii=False),
        "wire": json.dumps(job.wire, indent=2, ensure_ascii=False) if job.wire else "",
        "can_retry": job.images_failed > 0,
        "can_cancel": not job.is_terminal,
        "badge": _BADGES.get(job.status, "calm"),
    }


def picture_pair(artifacts: Iterable[Artifact]) -> SafeString:
    """Return HTML that shows the thumbnails of a source and its result side by side.

    A missing thumbnail is shown as an empty box.

    artifacts: the stored files of one picture.
    """
    by_kind = {artifact.kind: artifact for artifact in artifacts}
    source, result = by_kind.get(Artifact.Kind.SOURCE), by_kind.get(Artifact.Kind.THUMBNAIL)
    return format_html(
        '<span class="kl-pair">{}{}</span>',
        _small(source, "source", _("Original")),
        _small(result, "result", _("Result")),
    )


def _small(artifact: Artifact | None, name: str, text: str) -> SafeString:
    if artifact is None:
        return format_html('<span class="kl-thumb kl-{} kl-none"></span>', name)
    return format_html(
        '<span class="kl-thumb kl-{}"><img src="{}" alt="{}" loading="lazy" width="44" height="44"></span>',
        name,
        reverse("admin:jobs_job_thumbnail", args=[artifact.pk]),
        text,
    )


def _picture(image: JobImage) -> PictureRow:
    artifacts = list(image.artifacts.all())
    slices = timing_slices(image.timings_ms)
    total_ms = sum(one.duration_ms for one in slices)
    files = [artifact for artifact in artifacts if artifact.kind != Artifact.Kind.THUMBNAIL]
    pair = picture_pair(artifacts) if artifacts else SafeString()
    return PictureRow(image, pair, slices, total_ms, files)


def timing_slices(timings_ms: dict[str, float]) -> list[Slice]:
    """Return a Slice with the duration of each processing stage of a picture.

    The additional stage `other` is the time that belongs to none of the STAGES.

    timings_ms: the duration of each stage in milliseconds. The entry `total` does not include the time in the queue.
    """
    known = {stage: float(timings_ms[stage]) for stage in STAGES if stage in timings_ms}
    worked_ms = sum(duration for stage, duration in known.items() if stage != "queue")
    other_ms = float(timings_ms.get("total", worked_ms)) - worked_ms
    if other_ms > 0.5:
        known["other"] = other_ms
    whole_ms = sum(known.values())
    return [Slice(stage, ms, round(100 * ms / whole_ms, 2)) for stage, ms in known.items() if ms > 0]


def _facts(job: Job) -> list[tuple[str, object]]:
    """Return the labels and values of the job's fields. Empty fields are left out."""
    outcome = _("%(succeeded)s succeeded, %(failed)s failed, of %(total)s") % {
        "succeeded": job.images_succeeded,
        "failed": job.images_failed,
        "total": job.images_total,
    }
    facts = [
        (_("Job"), job.id),
        (_("Id in the dialect"), job.external_id),
        (_("Request id"), job.request_id),
        (_("Team"), job.team),
        (_("User"), job.user),
        (_("Key"), job.api_key),
        (_("From"), job.client_address),
        (_("Dialect"), job.get_dialect_display()),
        (_("Queue"), job.get_urgency_display()),
        (_("Pictures"), outcome),
        (_("Error"), f"{job.error_code}: {explained(job.error_code, job.error_message)}" if job.error_code else ""),
        (_("Submitted"), job.created_at),
        (_("Started"), job.started_at),
        (_("Ended"), job.finished_at),
        (_("Expires"), job.expires_at),
        (_("Callback"), job.callback_url),
        (_("Copied to"), job.export_directory),
        (_("Idempotency key"), job.idempotency_key),
    ]
    known = [(name, value) for name, value in facts if value not in (None, "")]
    return [(name, moment_text(value) if isinstance(value, dt.datetime) else value) for name, value in known]
