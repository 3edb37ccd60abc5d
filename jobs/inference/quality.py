"""Choose the quality of a picture when its job is submitted."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.utils.translation import override

from jobs.inference.built_in import built_in_path
from jobs.inference.selectors import active_version, active_versions
from jobs.models import Role, Team, Tier
from segmentation.errors import InvalidParameter
from segmentation.options import CutoutOptions, Method, Quality, Subject

_ROLES = {
    Method.AUTO: Role.SUBJECT,
    Method.BOXES: Role.PROMPTS,
    Method.POINTS: Role.PROMPTS,
    Method.INSTANCES: Role.PEOPLE,
}


def how_to_get_fine(role: Role) -> str:
    """Return a message which says that a role has no fine model, and how an operator activates one."""
    # No public checkpoint separates people: a model that does is an operator's own.
    source = (
        "An operator activates a model of the family `people`"
        if role is Role.PEOPLE
        else "An operator fetches one with `manage.py fetch_weights isnet-general-use` and activates it"
    )
    with override("en"):
        return f"No fine model is active for {role.label!r}. {source} as Fine on the Models page of the admin."


def role_of(options: CutoutOptions) -> Role:
    """Return the model role (subject, prompts or people) that a picture with these options needs."""
    return _ROLES[options.method]


def quality_default(team: Team, dialect: str) -> Quality:
    """Return the quality for requests of a team that contain no quality.

    Return the team's quality for the API (`dialect`). If it is not set, return the team's general quality. If this is
    not set either, return the quality of the site.
    """
    return Quality((team.dialect_qualities or {}).get(dialect) or team.quality or settings.MATTING_QUALITY)


def fine_roles() -> list[Role]:
    """Return the roles that have an active fine model. The qualities `fine` and `auto` need such a model."""
    return [role for role, tier in active_versions() if tier is Tier.FINE]


def model_names(role: Role) -> dict[Quality, str]:
    """Return a dict from quality (`fast`, `fine`) to the name of the role's model.

    The key `fine` is missing if no fine model is active.
    """
    fast, fine = active_version(role, Tier.FAST), active_version(role, Tier.FINE)
    names = {Quality.FAST: built_in_path(role).stem if fast is None else fast.name}
    return names if fine is None else {**names, Quality.FINE: fine.name}


def quality_settled(options: CutoutOptions, *, team: Team, dialect: str) -> CutoutOptions:
    """Return the options with a quality that is available.

    If the role has no active fine model, the quality `auto` becomes `fast`. The quality `fine` also becomes `fast` if
    it is a default of the team or site. If the request itself contains `fine`, raise InvalidParameter with a message
    that says how to install a fine model.

    The quality is always `fast` for stamps, which need no model, and for clicks, which only the fast model supports.

    dialect: the API through which the job is submitted.
    """
    asked = options.quality
    quality = asked or quality_default(team, dialect)
    if options.subject is Subject.STAMP or options.points:
        return replace(options, quality=Quality.FAST)
    role = role_of(options)
    if quality is not Quality.FAST and active_version(role, Tier.FINE) is None:
        if asked is Quality.FINE:
            raise InvalidParameter(how_to_get_fine(role), field="quality")
        quality = Quality.FAST
    return replace(options, quality=quality)
