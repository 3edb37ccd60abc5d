"""Registry of the published dialects.

A dialect is a package in `jobs/api` with a module `dialect` that calls `register`. Other code does not import the
package, so deleting it removes the dialect's routes, limits, choice of `Job.dialect` and callbacks.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern
from django.utils.functional import Promise

from jobs.models.dialects import DialectLimits, dialect_register
from jobs.webhooks.payload import CallbackPayload, callback_payload_register


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The description of a published API for the shared code.

    name: the value of `Job.dialect`, and the package's name. label: the displayed name, also of the group in the
    OpenAPI document. routes: returns the URL patterns; called only by web processes. limits: the default limits for a
    team. request_headers, response_headers: headers of this dialect that pages of other origins may send and read.
    callback_payload: builds the payload of a job's callback; None: the native payload is sent.
    """

    name: str
    label: str | Promise
    routes: Callable[[], list[URLPattern]]
    limits: DialectLimits = field(default_factory=DialectLimits)
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    callback_payload: CallbackPayload | None = None


_dialects: dict[str, Dialect] = {}


def register(dialect: Dialect) -> None:
    """Add a dialect to the registry. A dialect with the same name is replaced."""
    _dialects[dialect.name] = dialect
    dialect_register(dialect.name, label=dialect.label, limits=dialect.limits)
    settings.CORS_ALLOW_HEADERS.extend(set(dialect.request_headers) - set(settings.CORS_ALLOW_HEADERS))
    settings.CORS_EXPOSE_HEADERS.extend(set(dialect.response_headers) - set(settings.CORS_EXPOSE_HEADERS))
    if dialect.callback_payload is not None:
        callback_payload_register(dialect.name, dialect.callback_payload)


def autodiscover() -> None:
    """Import the module `dialect` of each package in `jobs.api` that has one."""
    package = import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__, f"{__package__}."):
        if module.ispkg and find_spec(f"{module.name}.dialect") is not None:
            import_module(f"{module.name}.dialect")


def dialects() -> list[Dialect]:
    """Return the registered dialects, sorted by name."""
    return [_dialects[name] for name in sorted(_dialects)]


def dialect_routes() -> list[URLPattern]:
    """Return the URL patterns of the registered dialects."""
    return [pattern for dialect in dialects() for pattern in dialect.routes()]
