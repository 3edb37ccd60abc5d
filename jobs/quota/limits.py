"""Read and change the quota of a team, and apply its limits to pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, Quota, Team
from segmentation.errors import ImageDimensions, ImageTooLarge, InvalidParameter
from segmentation.image import Limits, Probe


def quota_of(team: Team) -> Quota:
    """Return the quota of a team, or the site's defaults if the team has no quota of its own."""
    try:
        return team.quota
    except Quota.DoesNotExist:
        return Quota.default_of(team)


def quota_change(*, author: Author, team: Team, **changes: Any) -> Quota:
    """Change limits of a team and return the quota. The audit trail records the old and the new values.

    author: the person or program that changes the limits.
    changes: the new limits by name. Other limits do not change.

    Raise InvalidParameter for an unknown name or an invalid limit.
    """
    unknown = sorted(set(changes) - {*Quota.LIMITS, "quality_units", "dialects"})
    if unknown:
        raise InvalidParameter(f"quota: there is no limit named {unknown[0]}", field=unknown[0])
    with transaction.atomic():
        Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        quota = Quota.objects.filter(pk=team.pk).first() or Quota.default_of(team)
        before = quota.as_json()
        for name, value in changes.items():
            setattr(quota, name, value)
        _check_limits(quota)
        quota.save()
        after = quota.as_json()
        if after != before:
            _audit_limits(author, team, before, after)
    return quota


def quota_reset(*, author: Author, team: Team) -> Quota:
    """Delete a team's own quota and return the site's defaults. The audit trail records the old and the new values."""
    default = Quota.default_of(team)
    with transaction.atomic():
        Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        quota = Quota.objects.filter(pk=team.pk).first()
        if quota is not None:
            before = quota.as_json()
            quota.delete()
            _audit_limits(author, team, before, default.as_json())
    return default


def limits_within(limits: Limits, quota: Quota) -> Limits:
    """Return a copy of `limits` in which bytes and pixels are not larger than the quota allows."""
    pixels = quota.max_image_megapixels
    return replace(
        limits,
        max_bytes=min(limits.max_bytes, quota.max_image_bytes or limits.max_bytes),
        max_pixels=min(limits.max_pixels, int(pixels * 1_000_000) if pixels else limits.max_pixels),
    )


def picture_check(probe: Probe, limits: Limits) -> None:
    """Raise ImageTooLarge or ImageDimensions if a picture exceeds the limits of the team.

    probe: the properties of the picture.
    """
    if probe.bytes > limits.max_bytes:
        raise ImageTooLarge(f"The picture has {probe.bytes} bytes, your team may send {limits.max_bytes}.")
    if probe.width * probe.height > limits.max_pixels:
        raise ImageDimensions(
            f"The picture has {probe.width} x {probe.height} pixels, your team may send "
            f"{limits.max_pixels / 1_000_000:g} megapixels."
        )


def _audit_limits(author: Author, team: Team, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Write the old and the new values of the changed limits to the audit trail."""
    changed = [name for name in after if after[name] != before[name]]
    audit_append(
        action=Action.QUOTA_CHANGED,
        author=author.within(team),
        target=team,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


def _check_limits(quota: Quota) -> None:
    try:
        quota.full_clean(validate_unique=False)
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise InvalidParameter(f"{field}: {problems[0]}", field=field) from None
