"""Submit jobs from API views. A repeated request with the same Idempotency-Key gets the same job."""

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
    """Mixin that adds the method `submit` to an API view. In the list of base classes, it must be before APIView.

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

        door: how the job is submitted (API, urgency, callback).
        limits: the limits of the pictures; None: the limits of the site.
        recipes: the recipes that finish each picture.
        fields: other request fields that affect the response. They are part of the request's hash, which is compared if
        a later request has the same Idempotency-Key.

        Raise InvalidParameter if the key was used with a different request. Also raise the errors of `job_submit`.
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
        """Call `submission` and return the new job.

        If an earlier request had the same Idempotency-Key, return the job of that request instead, and set `is_replay`
        to True.

        door: how the job is submitted. It contains the Idempotency-Key and the hash of the request.
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
        """Return the job of an earlier request with the Idempotency-Key of `door`; None if there is no such job.

        Raise InvalidParameter if the earlier request was different.
        """
        job = job_by_idempotency_key(self.actor, door.idempotency_key) if door.idempotency_key else None
        if job is not None:
            require_same_request(job.request_hash, door.request_hash)
            self.is_replay = True
        return job


def require_same_request(earlier: str, now: str) -> None:
    """Compare the hashes of two requests with the same Idempotency-Key. Raise InvalidParameter if they differ."""
    if earlier != now:
        raise InvalidParameter("Idempotency-Key: it was used with another request", field="Idempotency-Key")


def idempotency_key(request: Request) -> str:
    """Return the header Idempotency-Key of a request; an empty string if the request does not have it.

    Raise InvalidParameter if the key is longer than MAX_KEY_LENGTH characters.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > MAX_KEY_LENGTH:
        raise InvalidParameter(f"Idempotency-Key: at most {MAX_KEY_LENGTH} characters", field="Idempotency-Key")
    return key


def request_digest(door: Door, options: CutoutOptions, sources: Sequence[Source], *more: str) -> str:
    """Return the SHA-256 hash of a request's content in hexadecimal.

    The content is the API, the options, the callback URL, the pictures, and the texts in `more`.

    door: how the job is submitted. It contains the API and the callback URL.
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
    """Return the name and value of a request field as text. The value of a file is the hash of its content."""
    name, value = entry
    if not isinstance(value, UploadedFile):
        return f"{name}={value!r}"
    content = hashlib.sha256()
    for piece in value.chunks():
        content.update(piece)
    value.seek(0)
    return f"{name}={content.hexdigest()}"
