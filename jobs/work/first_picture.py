"""A check that the whole site works (queue, worker, model and storage): a worker processes a small picture.

The picture belongs to no team. No job, charge or file remains afterwards.
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
    """Let a worker cut out the small picture, and return the size of the cutout in bytes.

    Raise WaitTimeout if no worker replies within `timeout_s` seconds, and QueueUnavailable if Redis cannot be reached.
    """
    reply = queue.ask(FIRST_PICTURE, queue_name="interactive", timeout_s=timeout_s)
    if reply is None:
        raise WaitTimeout("No worker has cut the picture out in time.")
    return int(reply)


def permit() -> str:
    """Return the value of the header that permits a request for this check.

    Only processes with the site's SECRET_KEY can create the value.
    """
    return signing.TimestampSigner(salt=_SALT).sign(str(time.time_ns()))


def is_permitted(text: str) -> bool:
    """Return whether a header value permits the check: its signature is valid and at most two minutes old."""
    try:
        signing.TimestampSigner(salt=_SALT).unsign(text, max_age=_VALID_FOR_S)
    except signing.BadSignature:
        return False
    return True
