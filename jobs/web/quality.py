"""The list of qualities from which users of the pages choose."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from jobs.inference.quality import fine_roles, quality_default
from jobs.models import Role, Team
from jobs.models.dialects import OwnDialect
from jobs.web import words
from segmentation.options import Quality


@dataclass(frozen=True, slots=True)
class QualityChoice:
    """One quality in the list, which is enabled for the roles whose active models offer it."""

    value: str
    label: str | Promise
    roles: list[Role]
    is_default: bool

    @property
    def is_available(self) -> bool:
        """Return whether the quality is enabled at first, when the form asks for the main subject."""
        return Role.SUBJECT in self.roles


def quality_choices(team: Team) -> list[QualityChoice]:
    """Return the qualities for a team.

    The team's default is marked if it is available; otherwise the first quality is marked.
    """
    roles_with_fine = fine_roles()
    wanted = quality_default(team, OwnDialect.WEB)
    default = wanted if Role.SUBJECT in roles_with_fine else Quality.FAST
    return [
        QualityChoice(
            quality,
            words.QUALITIES[quality],
            list(Role) if quality is Quality.FAST else roles_with_fine,
            quality is default,
        )
        for quality in Quality
    ]
