"""Drafts: cutouts at screen size, which the editor shows while the worker still makes the full-size files.

A worker stores a draft in Redis for a short time. A lost draft does no harm, because the editor then shows the finished
result only.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from jobs.models import Job, JobImage
from jobs.work import queue

if TYPE_CHECKING:
    from segmentation.compose import Rendered

# The full-size steps take most of the time of a picture of at least this size.
DRAFT_FROM_PIXELS = 4_000_000
_KEPT_S = 60
_PREFIX = "keyline:draft:"


def has_draft(image: JobImage) -> bool:
    """Return whether the worker makes a draft of a picture.

    This is so for a large picture that a signed-in user has uploaded alone in the browser. A correction has no draft,
    because the editor shows the result before it meanwhile.
    """
    job = image.job
    is_of_editor = job.dialect == Job.Dialect.WEB and job.user_id is not None and job.corrects_id is None
    is_large = (image.width or 0) * (image.height or 0) >= DRAFT_FROM_PIXELS
    return is_of_editor and is_large and job.images_total == 1


def draft_put(image: JobImage, draft: Rendered) -> None:
    """Store a draft and wake the requests that wait for it. Without Redis, the draft is dropped."""
    with suppress(RedisError, OSError):
        queue.connection().set(_key_of(image), draft.data, ex=_KEPT_S)
        queue.announce(topic_of_draft(image))


def draft_of(image: JobImage) -> bytes | None:
    """Return the draft of a picture, a WebP; None if there is none yet, if it has expired, or without Redis."""
    with suppress(RedisError, OSError):
        draft = queue.connection().get(_key_of(image))
        return draft if isinstance(draft, bytes) else None
    return None


def topic_of_draft(image: JobImage) -> str:
    """Return the name of the topic that announces the draft of a picture."""
    return f"draft:{image.pk}"


def _key_of(image: JobImage) -> str:
    return f"{_PREFIX}{image.pk}"
