"""Run the operator's own check of a picture's content before a worker processes the picture.

The setting MATTING_CONTENT_CHECK is a URL or the dotted path of a function. The function has the signature `check(data:
bytes, about: dict[str, str]) -> str | None` and returns the reason why the picture is refused, or None. A URL receives
the picture by POST and responds with `{"allowed": bool, "reason": str}`.

If the check fails or cannot be reached, the picture fails with the error code `internal`. So no picture is processed
unchecked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import cast
from urllib.parse import quote
from urllib.request import Request, urlopen

from django.conf import settings
from django.utils.module_loading import import_string

from segmentation.errors import ContentRefused

TIMEOUT_S = 10.0
Check = Callable[[bytes, dict[str, str]], str | None]


def content_check(data: bytes, about: dict[str, str]) -> None:
    """Run the operator's check on a picture. Raise ContentRefused if the check refuses the picture.

    about: values that describe the picture: the job's id, the team, and the API (`dialect`).
    """
    check = content_check_find()
    reason = None if check is None else check(data, about)
    if reason is not None:
        raise ContentRefused(reason)


def content_check_find() -> Check | None:
    """Return the operator's check as a function, or None if the operator has configured none.

    Raise ValueError if the setting is not a valid URL or names no function.
    """
    value = settings.MATTING_CONTENT_CHECK
    if not value:
        return None
    if "://" in value:
        if not value.startswith(("http://", "https://")):
            raise ValueError(f"{value} does not begin with http:// or https://")
        return partial(_asked, value)
    try:
        check = import_string(value)
    except ImportError as error:
        raise ValueError(f"{value} cannot be imported: {error}") from error
    if not callable(check):
        raise ValueError(f"{value} is not a function")
    return cast("Check", check)


def _asked(url: str, data: bytes, about: dict[str, str]) -> str | None:
    headers = {f"X-Keyline-{name.title()}": quote(value) for name, value in about.items()}
    headers["Content-Type"] = "application/octet-stream"
    request = Request(url, data=data, headers=headers, method="POST")  # noqa: S310  the operator's URL
    with urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
        answer = json.load(response)
    return None if answer["allowed"] else str(answer.get("reason", ""))[:300]
