"""The roles that a model supports, and whether its licence must be accepted, according to its manifest."""

from __future__ import annotations

from jobs.models import Role
from segmentation.engines.manifest import KEYLINE, PEOPLE, Manifest

_ROLES = {
    KEYLINE: (Role.SUBJECT, Role.PROMPTS, Role.PEOPLE),
    PEOPLE: (Role.PEOPLE, Role.SUBJECT),
}
_UNCLEAR = ("unknown", "unclear", "not stated")
# A model that returns one map of the subject supports boxes too: its input is the region around each box.
_SALIENT = (Role.SUBJECT, Role.PROMPTS)


def roles_of(manifest: Manifest) -> tuple[Role, ...]:
    """Return the roles that a model supports."""
    return _ROLES.get(manifest.family, _SALIENT)


def licence_needs_acceptance(manifest: Manifest) -> bool:
    """Return whether an operator must accept a model's licence, because it is unclear or forbids commercial use."""
    return manifest.non_commercial or manifest.licence.lower().startswith(_UNCLEAR) or not manifest.licence
