"""Record which results a person corrected, so that models can be compared by the number of corrections."""

from __future__ import annotations

from jobs.models import JobImage


def correction_note(*, image: JobImage) -> None:
    """Record that a person changed the result of a picture with a brush, a box or a click.

    The database is written only at the first correction of a picture.
    """
    if not image.is_corrected:
        JobImage.objects.filter(pk=image.pk).update(is_corrected=True)
