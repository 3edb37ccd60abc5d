"""Requests to the service and their responses. The synchronous and the asynchronous client share this module."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from keyline.model import KeylineError

TRIES = 6
LONGEST_PAUSE_S = 60.0
_PASSING = (429, 502, 503, 504)
Source = str | Path | bytes


def headers_of(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def site_url(url: str) -> httpx.URL:
    """Return the URL of a site; raise KeylineError unless it begins with http:// or https:// and names a host."""
    try:
        site = httpx.URL(url.strip().rstrip("/"))
    except (httpx.InvalidURL, ValueError) as error:
        raise KeylineError(f"{url} is not a URL: {error}") from None
    if site.scheme not in ("http", "https") or not site.host:
        raise KeylineError(f"{url} is not the URL of a site; it begins with http:// or https://")
    return site


def new_idempotency_key() -> str:
    return f"client-{uuid.uuid4()}"


def files_of(sources: Sequence[Source]) -> list[tuple[str, tuple[str, bytes]]]:
    """Return the files of a form: for each source that is not a URL, the field name and (file name, content).

    Sources that are URLs are left out, because `fields_of` returns them.
    """
    files = []
    for number, source in enumerate(sources, start=1):
        if isinstance(source, bytes):
            files.append(("image", (f"picture-{number}", source)))
        elif not is_url(source):
            path = Path(source)
            files.append(("image", (path.name, path.read_bytes())))
    return files


def is_url(source: Source) -> bool:
    return isinstance(source, str) and source.startswith(("http://", "https://"))


def fields_of(sources: Sequence[Source], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a form: the sources that are URLs, and the options as text.

    Options with the value None are left out.
    """
    fields: dict[str, Any] = {"image_url": [source for source in sources if is_url(source)]}
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, bool):
            fields[name] = "true" if value else "false"
        elif name == "outputs" and not isinstance(value, str):
            fields[name] = ",".join(value)
        else:
            fields[name] = json.dumps(value) if isinstance(value, list | tuple) else str(value)
    return fields


def pause_before(attempt: int, response: httpx.Response | None) -> float | None:
    """Return the seconds to wait before the next attempt, or None if there must be no retry.

    There is a retry after a connection failure and after a response with a temporary error, up to TRIES attempts. If
    the response has the header Retry-After, return its number of seconds, or None if it is greater than
    LONGEST_PAUSE_S. Without this header, the pause doubles with each attempt up to LONGEST_PAUSE_S, and is multiplied
    by a random factor from 0.75 to 1.25.

    attempt: the number of attempts so far, from 1.
    response: the response to the latest attempt; None if the connection failed.
    """
    if attempt >= TRIES or (response is not None and response.status_code not in _PASSING):
        return None
    asked = "" if response is None else response.headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked) if float(asked) <= LONGEST_PAUSE_S else None
    return min(LONGEST_PAUSE_S, 0.5 * 2.0**attempt) * (0.75 + random.random() / 2)  # noqa: S311  no secret


def checked(response: httpx.Response) -> httpx.Response:
    """Return a successful response. Raise KeylineError for an error response."""
    if response.is_success:
        return response
    try:
        body = response.json()
    except ValueError:
        raise KeylineError(f"HTTP {response.status_code}", status=response.status_code) from None
    detail = str(body.get("detail", f"HTTP {response.status_code}"))
    raise KeylineError(
        detail, status=response.status_code, code=str(body.get("code", "")), field=str(body.get("field") or "")
    )
