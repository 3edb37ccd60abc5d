"""The dialects (APIs and pages) through which jobs are submitted, and the limits of each dialect.

The site's own dialects are constants. Published dialects register when the site starts (`jobs.api.registry`), so this
module does not contain their names.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class OwnDialect(models.TextChoices):
    """The site's own dialects, which are not APIs of other products."""

    NATIVE = "native", _("Native")
    WEB = "web", _("Web")
    COMMAND = "command", _("Command")


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectLimits:
    """The limits of one team in one dialect (an API of the site, or its pages); None means no limit.

    They apply in addition to the team's quota of pictures and bytes.

    submits_per_second and queries_per_second count requests; running_tasks and pending_tasks count pictures.
    """

    submits_per_second: int | None = None
    queries_per_second: int | None = None
    running_tasks: int | None = None
    pending_tasks: int | None = None


_labels: dict[str, str | Promise] = {}
_limits: dict[str, DialectLimits] = {}


def dialect_register(name: str, *, label: str | Promise, limits: DialectLimits) -> None:
    """Add a published dialect to the choices of `Job.dialect`.

    label: the displayed name. limits: its default limits for a team.
    """
    _labels[name] = label
    _limits[name] = limits


def dialect_choices() -> list[tuple[str, str | Promise]]:
    """Return the value and the label of each dialect: native, the published dialects, web and command."""
    native, *others = OwnDialect.choices
    return [native, *sorted(_labels.items()), *others]


def dialect_names() -> list[str]:
    """Return the value of each dialect, in the order of `dialect_choices`."""
    return [name for name, _label in dialect_choices()]


def default_limits_of(dialect: str) -> DialectLimits:
    """Return a dialect's default limits for a team; an unknown dialect has no limits."""
    return _limits.get(dialect, DialectLimits())
