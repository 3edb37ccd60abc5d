"""Records of results that a person corrected, so that models can be compared by their corrections."""

from __future__ import annotations

from jobs.models import JobImage


def correction_note(*, image: JobImage) -> None:
    """Record that the result of a picture was changed by a brush, a box or a click.

    Only the first correction of a picture writes to the database.
    """
    if not image.is_corrected:
        JobImage.objects.filter(pk=image.pk).update(is_corrected=True)
