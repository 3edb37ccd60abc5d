"""The list of qualities (fast or fine models) from which users choose."""

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
    """One quality (such as fast or fine) in the list from which users choose.

    roles: the kinds of requests (subject, prompts, people) for which the quality is available.
    is_default: whether the quality is selected at first.
    """

    value: str
    label: str | Promise
    roles: list[Role]
    is_default: bool

    @property
    def is_available(self) -> bool:
        """Return whether the quality is available for requests that find the main subject.

        The form shows this kind of request at first.
        """
        return Role.SUBJECT in self.roles


def quality_choices(team: Team) -> list[QualityChoice]:
    """Return the qualities from which users of a team choose.

    The team's default quality is selected if it is available; otherwise the fast quality is selected.
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
