"""Read from a model's manifest which roles it supports, and whether an operator must accept its licence."""

from __future__ import annotations

import re

from jobs.models import Role
from segmentation.engines.manifest import KEYLINE, PEOPLE, Manifest

_ROLES = {
    KEYLINE: (Role.SUBJECT, Role.PROMPTS, Role.PEOPLE),
    PEOPLE: (Role.PEOPLE, Role.SUBJECT),
}
# Licences that allow commercial use and need no acceptance, as `_licence_name` writes them.
_FREE = (
    *("0bsd", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "cc-by-4.0", "cc0-1.0"),
    *("isc", "mit", "mit-0", "unlicense", "zlib"),
)
# A model with one map of the subject handles boxes too: the network gets only the surroundings of each box.
_SALIENT = (Role.SUBJECT, Role.PROMPTS)


def roles_of(manifest: Manifest) -> tuple[Role, ...]:
    """Return the roles that a model supports, according to the model family in its manifest."""
    return _ROLES.get(manifest.family, _SALIENT)


def licence_needs_acceptance(manifest: Manifest) -> bool:
    """Return whether an operator must accept a model's licence before the model is activated.

    A licence must be accepted if it forbids commercial use, or if it is not one of the known free licences.
    """
    return manifest.non_commercial or _licence_name(manifest.licence) not in _FREE


def _licence_name(text: str) -> str:
    """Return a licence's name in a normalized spelling: `Apache License, Version 2.0` becomes `apache-2.0`."""
    words = re.split(r"[\s,_-]+", text.lower())
    return "-".join(word for word in words if word not in ("the", "licence", "license", "version", ""))
