"""The configuration of the logs. Each event is one line, as text or JSON, with the ids of the request and the job."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import structlog

FORMATS = ("text", "json")
_SHOWN_PER_PERIOD = 3
_PERIOD_S = 60.0


class Repetitions(logging.Filter):
    """Log filter that lets the same warning or error pass up to three times a minute, and counts the others.

    After the minute, the next equal record reports how many were hidden. Records are equal if their logger, level and
    unformatted message are equal. Without this filter, an unreachable broker or a full disk would fill the log with
    hundreds of lines per second.
    shown: the number of equal records that pass in one period.
    period_s: the length of the period in seconds.
    """

    def __init__(self, *, shown: int = _SHOWN_PER_PERIOD, period_s: float = _PERIOD_S) -> None:
        super().__init__()
        self._shown, self._period_s = shown, period_s
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        key = (record.name, record.levelno, str(record.msg))
        now_s = time.monotonic()
        with self._lock:
            since_s, count = self._seen.get(key, (now_s, 0))
            hidden = max(0, count - self._shown)
            if now_s - since_s >= self._period_s:
                since_s, count = now_s, 0
                if hidden:
                    record.msg, record.args = f"{record.getMessage()} (repeated {hidden} more times)", None
            self._seen[key] = (since_s, count + 1)
            return count < self._shown


def logging_settings(*, log_format: str, level: str) -> dict[str, Any]:
    """Return the value of Django's setting LOGGING.

    log_format: one of FORMATS.
    level: the lowest level that is logged, such as `INFO`.
    """
    renderer = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if log_format == "json"
        else [_as_text]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            # A 503 of /health while the model loads is a valid response; only exceptions are logged as errors.
            "with_exception": {"()": "django.utils.log.CallbackFilter", "callback": _has_exception},
            "repetitions": {"()": "jobs.telemetry.logs.Repetitions"},
        },
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.ExtraAdder(allow=_EXTRAS),
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                ],
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["repetitions"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "rq.worker": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "django.request": {"level": "ERROR", "filters": ["with_exception"]},
            # Text logs leave out access lines, which would hide important events; JSON logs contain them.
            "keyline.access": {"level": "INFO" if log_format == "json" else "WARNING"},
            "keyline.transition": {"level": "INFO" if log_format == "json" else "WARNING"},
        },
    }


# The fields of a record that this package adds.
_EXTRAS = ("method", "route", "status", "duration_ms", "bytes", "state", "kind", "job", "picture", "error_code")


def _has_exception(record: logging.LogRecord) -> bool:
    return bool(record.exc_info)


def _as_text(logger: Any, method: str, event: dict[str, Any]) -> str:
    """Return the line `time level logger: message key=value …`, followed by the traceback if there is one."""
    exception = event.pop("exc_info", None)
    head = f"{event.pop('timestamp')} {event.pop('level').upper():7} {event.pop('logger')}: {event.pop('event')}"
    line = " ".join([head, *(f"{name}={value}" for name, value in event.items())])
    if not exception:
        return line
    return f"{line}\n{logging.Formatter().formatException(exception)}"
