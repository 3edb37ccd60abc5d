"""Corrections: the model processes a picture again, with other options.

Each correction is a version of the picture. The first corrections of a picture are free.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import F, Max

from jobs.errors import NotFound
from jobs.models import JobImage, Quota, Version


def correction_count(image: JobImage) -> int:
    """Add one to the number of corrections of a picture, and return the new number.

    Call this function inside a transaction. The row stays locked until the commit, so that two concurrent corrections
    get different numbers. Raise NotFound if the picture has been deleted.
    """
    if not JobImage.objects.filter(pk=image.pk).update(runs_again=F("runs_again") + 1):
        raise NotFound("The picture has been deleted.")
    return JobImage.objects.values_list("runs_again", flat=True).get(pk=image.pk)


def correction_units(image: JobImage, *, count: int, quality: str, quota: Quota) -> int:
    """Return how many units of the quota a correction of a picture costs.

    A correction with a number up to MATTING_FREE_CORRECTIONS costs the units of its quality minus the units that were
    charged for the picture. A correction with the fine model therefore costs the difference to the fast model. Later
    corrections cost as much as a new picture.
    count: the number of the correction, from 1.
    quality: the quality of the correction.
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
