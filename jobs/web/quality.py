"""The choice of quality on the pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from jobs.inference.quality import qualities_available, quality_default
from jobs.models import Team
from jobs.models.dialects import OwnDialect
from jobs.web import words


@dataclass(frozen=True, slots=True)
class QualityChoice:
    """Hold one choice; without an active fine model only `fast` can be chosen."""

    value: str
    label: str | Promise
    is_available: bool
    is_default: bool


def quality_choices(team: Team) -> list[QualityChoice]:
    """Return the choices for a team, its default marked: the first one of those that can be had."""
    available = qualities_available()
    wanted = quality_default(team, OwnDialect.WEB)
    default = wanted if available[wanted] else next(iter(available))
    return [
        QualityChoice(quality, words.QUALITIES[quality], is_available, quality is default)
        for quality, is_available in available.items()
    ]
