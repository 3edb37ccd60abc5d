"""Call the operator's own check of a picture's content before a worker processes the picture.

`MATTING_CONTENT_CHECK` is the dotted path of a function `check(data: bytes, about: dict[str, str]) -> str | None`,
which returns why the picture is refused, or a URL. The URL receives the picture by POST and responds with `{"allowed":
bool, "reason": str}`. When the check fails or cannot be reached, the picture fails with `internal`, so no picture is
processed unchecked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from django.conf import settings
from django.utils.module_loading import import_string

from segmentation.errors import ContentRefused

TIMEOUT_S = 10.0
Check = Callable[[bytes, dict[str, str]], str | None]


def content_check(data: bytes, about: dict[str, str]) -> None:
    """Raise ContentRefused when the operator's check refuses a picture.

    about: the job's id, the team and the dialect.
    """
    check = settings.MATTING_CONTENT_CHECK
    if not check:
        return
    reason = _asked(check, data, about) if "://" in check else _called(check, data, about)
    if reason is not None:
        raise ContentRefused(reason)


def content_check_problem() -> str | None:
    """Return why MATTING_CONTENT_CHECK can be neither called nor requested, or None; a URL is not requested."""
    check = settings.MATTING_CONTENT_CHECK
    if not check:
        return None
    if "://" in check:
        return None if urlsplit(check).scheme in ("http", "https") else "must be a URL of http:// or https://"
    try:
        return None if callable(import_string(check)) else "is not a function"
    except ImportError as error:
        return f"cannot be imported: {error}"


def _called(path: str, data: bytes, about: dict[str, str]) -> str | None:
    check: Check = import_string(path)
    return check(data, about)


def _asked(url: str, data: bytes, about: dict[str, str]) -> str | None:
    headers = {f"X-Keyline-{name.title()}": quote(value) for name, value in about.items()}
    headers["Content-Type"] = "application/octet-stream"
    request = Request(url, data=data, headers=headers, method="POST")  # noqa: S310  the operator's URL
    with urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
        answer = json.load(response)
    return None if answer["allowed"] else str(answer.get("reason", ""))[:300]
