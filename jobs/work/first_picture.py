"""Have one small picture cut out, to see that the site as a whole works: queue, worker, model and storage.

It belongs to no team: no job, no charge and no file stays behind.
"""

from __future__ import annotations

import time

from django.core import signing

from jobs.errors import WaitTimeout
from jobs.work import queue
from jobs.work.registry import Task

FIRST_PICTURE = Task("first_picture", timeout_s=60)
HEADER = "X-Keyline-First-Picture"
_SALT = "keyline.first-picture"
_VALID_FOR_S = 120


def picture_cut_out(*, timeout_s: int = 60) -> int:
    """Let a worker cut the picture out, and return the bytes of its cutout.

    Raises WaitTimeout when no worker replies in time, and QueueUnavailable.
    """
    reply = queue.ask(FIRST_PICTURE, queue_name="interactive", timeout_s=timeout_s)
    if reply is None:
        raise WaitTimeout("No worker has cut the picture out in time.")
    return int(reply)


def permit() -> str:
    """Return the value of the header that permits the request; a process that knows the site's key can make it."""
    return signing.TimestampSigner(salt=_SALT).sign(str(time.time_ns()))


def is_permitted(text: str) -> bool:
    """Return whether a header permits the request: its signature is valid and not older than two minutes."""
    try:
        signing.TimestampSigner(salt=_SALT).unsign(text, max_age=_VALID_FOR_S)
    except signing.BadSignature:
        return False
    return True
