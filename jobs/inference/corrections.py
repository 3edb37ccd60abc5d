"""Record that a person corrected a result, so that models can be compared by their corrections."""

from __future__ import annotations

from jobs.models import JobImage


def correction_note(*, image: JobImage) -> None:
    """Record that a brush, a box or a click changed a picture's result.

    Only the first correction writes to the database.
    """
    if not image.is_corrected:
        JobImage.objects.filter(pk=image.pk).update(is_corrected=True)
