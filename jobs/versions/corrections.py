"""Corrections: further runs of the model on a picture.

Each is a version of the picture, and the first ones are free.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import F, Max

from jobs.errors import NotFound
from jobs.models import JobImage, Quota, Version


def correction_count(image: JobImage) -> int:
    """Add one to the number of corrections of a picture, and return the number. Call it inside a transaction.

    The row stays locked until the commit, so only one of two concurrent corrections can be the last free one. Raise
    NotFound if the picture has been deleted.
    """
    if not JobImage.objects.filter(pk=image.pk).update(runs_again=F("runs_again") + 1):
        raise NotFound("The picture has been deleted.")
    return JobImage.objects.values_list("runs_again", flat=True).get(pk=image.pk)


def correction_units(image: JobImage, *, count: int, quality: str, quota: Quota) -> int:
    """Return the units of the quota that the correction number `count` (from 1) of a picture costs.

    quality: the quality of the correction. Up to MATTING_FREE_CORRECTIONS, it costs the units of its quality minus the
    units that the picture was charged, so that a correction does not give the fine model at the price of the fast one.
    Further corrections cost as much as a new picture.
    """
    units = quota.units_of(quality)
    if count > settings.MATTING_FREE_CORRECTIONS:
        return units
    return max(0, units - image.charged_units)


def corrections_left(image: JobImage) -> int:
    """Return how many free corrections of a picture remain."""
    return max(0, settings.MATTING_FREE_CORRECTIONS - image.runs_again)


def version_number_next(image: JobImage) -> int:
    """Return the number of a picture's next version.

    The caller's transaction must hold the lock of the picture or its job.
    """
    return (Version.objects.filter(image=image).aggregate(last=Max("number"))["last"] or 1) + 1
