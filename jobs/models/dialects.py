"""The dialects through which jobs are submitted, and the limits of each dialect.

A dialect is an API of the site (its own or an emulated vendor API) or the site's pages. The site's own dialects are
constants here. The emulated vendor APIs are added by `jobs.api.registry` when the site starts, so this module does not
contain their names.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class OwnDialect(models.TextChoices):
    """The site's own API, its pages, and its management commands. Emulated vendor APIs are not included."""

    NATIVE = "native", _("Native")
    WEB = "web", _("Web")
    COMMAND = "command", _("Command")


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectLimits:
    """The limits of one team in one API, or in the site's pages. None means no limit.

    The team's quota applies in addition to these limits.

    submits_per_second, queries_per_second: the largest number of requests per second.
    running_tasks, pending_tasks: the largest number of running and of waiting pictures.
    """

    submits_per_second: int | None = None
    queries_per_second: int | None = None
    running_tasks: int | None = None
    pending_tasks: int | None = None


_labels: dict[str, str | Promise] = {}
_limits: dict[str, DialectLimits] = {}


def dialect_register(name: str, *, label: str | Promise, limits: DialectLimits) -> None:
    """Add an emulated vendor API to the choices of `Job.dialect`.

    label: the displayed name.
    limits: the default limits of each team in this API.
    """
    _labels[name] = label
    _limits[name] = limits


def dialect_choices() -> list[tuple[str, str | Promise]]:
    """Return the value and the label of each dialect: `native`, the emulated vendor APIs, `web` and `command`."""
    native, *others = OwnDialect.choices
    return [native, *sorted(_labels.items()), *others]


def dialect_names() -> list[str]:
    """Return the value of each dialect, in the same order as `dialect_choices`."""
    return [name for name, _label in dialect_choices()]


def default_limits_of(dialect: str) -> DialectLimits:
    """Return the default limits of a team in a dialect. An unknown dialect has no limits."""
    return _limits.get(dialect, DialectLimits())
