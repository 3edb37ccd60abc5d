"""Submission of jobs by views. A repeated request with the same Idempotency-Key gets the same job."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.request import Request

from jobs.errors import IdempotencyConflict
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
    """Mixin that adds `submit` to an API view. It must precede APIView in the list of base classes.

    is_replay: whether the response contains a job that an earlier request created.
    """

    is_replay = False

    def submit(
        self: Any,
        *,
        door: Door,
        options: CutoutOptions,
        sources: Sequence[Source],
        limits: Limits | None = None,
        recipes: Sequence[NamedRecipe] = (),
        fields: Mapping[str, Any] | None = None,
    ) -> Job:
        """Submit a job, or return the job that an earlier request with the same Idempotency-Key created.

        door: how the job was submitted (dialect, urgency, callback). limits: the limits of the pictures; None: the
        site's. recipes: finish each picture. fields: other fields that affect the response; they are compared when the
        key is used again. Raise InvalidParameter if the key was used with a different request, and the errors of
        `job_submit`.
        """
        key = idempotency_key(self.request)
        if key:
            named = [f"{recipe.name}@{recipe.version}" for recipe in recipes]
            digest = request_digest(door, options, sources, *named, *map(_written, sorted((fields or {}).items())))
            door = replace(door, idempotency_key=key, request_hash=digest)
        submission = partial(
            job_submit, actor=self.actor, door=door, options=options, sources=sources, limits=limits, recipes=recipes
        )
        return self.submit_once(door, submission)

    def submit_once(self: Any, door: Door, submission: Callable[[], Job]) -> Job:
        """Call `submission` and return its job, or return the job that was created with the Idempotency-Key of `door`.

        `door` says how the job was submitted. For a job that was created earlier, `is_replay` is set.
        """
        earlier = self._replayed(door)
        if earlier is not None:
            return earlier
        try:
            return submission()
        except IdempotencyConflict:
            earlier = self._replayed(door)  # a concurrent request with the same key has stored it
            if earlier is None:
                raise
            return earlier

    def _replayed(self: Any, door: Door) -> Job | None:
        """Return the job that was created with the Idempotency-Key of `door`; None if there is no such job.

        Raise InvalidParameter if that job was created by a different request.
        """
        job = job_by_idempotency_key(self.actor, door.idempotency_key) if door.idempotency_key else None
        if job is not None:
            require_same_request(job.request_hash, door.request_hash)
            self.is_replay = True
        return job


def require_same_request(earlier: str, now: str) -> None:
    """Raise InvalidParameter if the hashes `earlier` and `now` of requests with the same Idempotency-Key differ."""
    if earlier != now:
        raise InvalidParameter("Idempotency-Key: it was used with another request", field="Idempotency-Key")


def idempotency_key(request: Request) -> str:
    """Return the Idempotency-Key of a request; an empty string without one.

    Raise InvalidParameter if it is too long.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > MAX_KEY_LENGTH:
        raise InvalidParameter(f"Idempotency-Key: at most {MAX_KEY_LENGTH} characters", field="Idempotency-Key")
    return key


def request_digest(door: Door, options: CutoutOptions, sources: Sequence[Source], *more: str) -> str:
    """Return the SHA-256 of a request's content: its dialect, options, callback, sources, and the texts in `more`.

    door: how the job is submitted; it contains the dialect and the callback.
    """
    parts = [door.dialect, repr(sorted(options.to_json().items())), repr(door.callback_url), *more]
    return hashlib.sha256("\n".join([*parts, *map(_identity, sources)]).encode()).hexdigest()


def _identity(source: Source) -> str:
    match source:
        case CheckedSource():
            return f"{source.sha256} {sorted(source.settings.items())}" if source.settings else source.sha256
        case UrlSource():
            return source.url
        case FileSource():
            return source.path
    return source.name


def _written(entry: tuple[str, Any]) -> str:
    """Return a field as text. A file is replaced by the hash of its content."""
    name, value = entry
    if not isinstance(value, UploadedFile):
        return f"{name}={value!r}"
    content = hashlib.sha256()
    for piece in value.chunks():
        content.update(piece)
    value.seek(0)
    return f"{name}={content.hexdigest()}"
