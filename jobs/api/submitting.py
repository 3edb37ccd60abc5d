"""Submission of jobs by views, safe to repeat: an Idempotency-Key makes one job of a repeated request."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rest_framework.request import Request

from jobs.intake.sources import CheckedSource, FileSource, Source, UrlSource
from jobs.models import Job
from jobs.recipes.selectors import NamedRecipe
from jobs.work.selectors import job_by_idempotency_key
from jobs.work.submission import Door, job_submit
from segmentation.errors import InvalidParameter
from segmentation.image import Limits
from segmentation.options import CutoutOptions

MAX_KEY_LENGTH = 255
REPLAYED = "Idempotent-Replayed"


class SubmittingView:
    """Add `submit` to an API view. Mixed in before APIView; `is_replay` marks a response made from an earlier job."""

    is_replay = False

    def submit(
        self: Any,
        *,
        door: Door,
        options: CutoutOptions,
        sources: Sequence[Source],
        limits: Limits | None = None,
        recipes: Sequence[NamedRecipe] = (),
    ) -> Job:
        """Submit a job, or return the one that the request's Idempotency-Key made before.

        Raises InvalidParameter when the key came with another request, and what `job_submit` raises.
        """
        key = idempotency_key(self.request)
        if key:
            digest = request_digest(door, options, sources, *(f"{named.name}@{named.version}" for named in recipes))
            if (earlier := self.replayed(key, digest)) is not None:
                return earlier
            door = replace(door, idempotency_key=key, request_hash=digest)
        return job_submit(actor=self.actor, door=door, options=options, sources=sources, limits=limits, recipes=recipes)

    def replayed(self: Any, key: str, digest: str) -> Job | None:
        """Return the job that a key made before, None without one; raise InvalidParameter for another request."""
        job = job_by_idempotency_key(self.actor, key) if key else None
        if job is None:
            return None
        if job.request_hash != digest:
            raise InvalidParameter("Idempotency-Key: it was used with another request", field="Idempotency-Key")
        self.is_replay = True
        return job


def idempotency_key(request: Request) -> str:
    """Return the request's Idempotency-Key, empty without one; raise InvalidParameter for one that is too long."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > MAX_KEY_LENGTH:
        raise InvalidParameter(f"Idempotency-Key: at most {MAX_KEY_LENGTH} characters", field="Idempotency-Key")
    return key


def request_digest(door: Door, options: CutoutOptions, sources: Sequence[Source], *more: str) -> str:
    """Return a hash of what a request specifies: its dialect, options, callback and sources, and `more`."""
    parts = [door.dialect, repr(sorted(options.to_json().items())), repr(door.callback_url), *more]
    return hashlib.sha256("\n".join([*parts, *map(_identity, sources)]).encode()).hexdigest()


def _identity(source: Source) -> str:
    match source:
        case CheckedSource():
            return source.sha256
        case UrlSource():
            return source.url
        case FileSource():
            return source.path
    return source.name
