"""Registry of the API dialects. An API dialect is an emulated vendor API.

Each dialect is a package in `jobs/api` with a module `dialect`, which calls `register`. No other code imports the
package. If you delete the package, the dialect's routes, limits, callbacks and choice of `Job.dialect` disappear too.
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
    """The description of an emulated vendor API for the shared code.

    name: the name of the package, which is also the value of `Job.dialect`.
    label: the displayed name, which is also the name of the API's group in the OpenAPI document.
    routes: a function that returns the URL patterns; only web processes call it.
    limits: the default limits for a team.
    request_headers: the request headers that web pages of other sites may send to this API.
    response_headers: the response headers of this API that web pages of other sites may read.
    callback_payload: a function that builds the payload of a job's callback; None: use the payload of the native API.
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
    """Add an API dialect to the registry. Replace an earlier dialect with the same name."""
    _dialects[dialect.name] = dialect
    dialect_register(dialect.name, label=dialect.label, limits=dialect.limits)
    settings.CORS_ALLOW_HEADERS.extend(set(dialect.request_headers) - set(settings.CORS_ALLOW_HEADERS))
    settings.CORS_EXPOSE_HEADERS.extend(set(dialect.response_headers) - set(settings.CORS_EXPOSE_HEADERS))
    if dialect.callback_payload is not None:
        callback_payload_register(dialect.name, dialect.callback_payload)


def autodiscover() -> None:
    """Import the module `dialect` of each API dialect. Packages in `jobs.api` without this module are skipped."""
    package = import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__, f"{__package__}."):
        if module.ispkg and find_spec(f"{module.name}.dialect") is not None:
            import_module(f"{module.name}.dialect")


def dialects() -> list[Dialect]:
    """Return the registered API dialects, sorted by name."""
    return [_dialects[name] for name in sorted(_dialects)]


def dialect_routes() -> list[URLPattern]:
    """Return the URL patterns of all registered API dialects."""
    return [pattern for dialect in dialects() for pattern in dialect.routes()]
