"""Reports of unexpected errors to Sentry or a compatible server. Without MATTING_SENTRY_DSN nothing is reported."""

from __future__ import annotations

from typing import Any

import structlog

# The parts of a request that a report may contain: nothing that a caller sent.
_KEPT_OF_REQUEST = ("method",)
_TAGS = ("request_id", "job", "picture", "team", "worker")


def sentry_start(*, dsn: str, release: str) -> None:
    """Configure Sentry to report exceptions and logged errors. Raise ImportError if sentry-sdk is not installed.

    dsn: the URL of the Sentry server.
    release: the version of the site.
    """
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        release=f"keyline@{release}",
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,  # they may contain pictures and secrets
        include_source_context=True,
        traces_sample_rate=0.0,
        before_send=_cleaned,
        shutdown_timeout=2,
    )


def _cleaned(event: Any, hint: dict[str, Any]) -> Any:
    """Return an error report without data that callers sent, and with the ids that the log lines also contain."""
    request = event.get("request")
    if request:
        event["request"] = {name: request[name] for name in _KEPT_OF_REQUEST if name in request}
    event.pop("user", None)
    event.pop("breadcrumbs", None)
    bound = structlog.contextvars.get_contextvars()
    event.setdefault("tags", {}).update({name: str(bound[name]) for name in _TAGS if name in bound})
    return event
