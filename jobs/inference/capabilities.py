"""Read from a model's manifest which roles it supports."""

from __future__ import annotations

from jobs.models import Role
from segmentation.engines.manifest import KEYLINE, PEOPLE, Manifest

_ROLES = {
    KEYLINE: (Role.SUBJECT, Role.PROMPTS, Role.PEOPLE),
    PEOPLE: (Role.PEOPLE, Role.SUBJECT),
}
_UNCLEAR = ("unknown", "unclear", "not stated")
# A model with one map of the subject handles boxes too: the network gets only the surroundings of each box.
_SALIENT = (Role.SUBJECT, Role.PROMPTS)


def roles_of(manifest: Manifest) -> tuple[Role, ...]:
    """Return the roles that a model supports."""
    return _ROLES.get(manifest.family, _SALIENT)


def licence_needs_acceptance(manifest: Manifest) -> bool:
    """Return whether an operator must accept a model's licence: it is unclear or forbids commercial use."""
    return manifest.non_commercial or manifest.licence.lower().startswith(_UNCLEAR) or not manifest.licence
