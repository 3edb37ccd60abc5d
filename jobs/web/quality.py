"""The list of qualities from which users of the pages choose."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from jobs.inference.quality import qualities_available, quality_default
from jobs.models import Team
from jobs.models.dialects import OwnDialect
from jobs.web import words


@dataclass(frozen=True, slots=True)
class QualityChoice:
    """One quality in the list. Without an active fine model only `fast` is available."""

    value: str
    label: str | Promise
    is_available: bool
    is_default: bool


def quality_choices(team: Team) -> list[QualityChoice]:
    """Return the qualities for a team.

    The team's default is marked if it is available; otherwise the first quality is marked.
    """
    available = qualities_available()
    wanted = quality_default(team, OwnDialect.WEB)
    default = wanted if available[wanted] else next(iter(available))
    return [
        QualityChoice(quality, words.QUALITIES[quality], is_available, quality is default)
        for quality, is_available in available.items()
    ]
