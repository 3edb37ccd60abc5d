"""Small copies of the submitted pictures.

Lists of pictures show these copies next to the results, and before the results exist.
"""

from __future__ import annotations

from jobs import pixels
from jobs.intake.sources import limits_from_json
from jobs.models import Artifact, JobImage
from jobs.results import storage
from jobs.results.selectors import file_of

SIDE_PX = 400


def original_small(image: JobImage) -> bytes:
    """Return a small WebP copy of a submitted picture. Its sides have at most SIDE_PX pixels.

    The copy is made from the stored preview (a smaller, upright copy) if there is one, otherwise from the submitted
    file. Raise NotFound if both files are deleted, ServerBusy if too many pictures are being rendered, and an
    ImageError if the file cannot be decoded.
    """
    from segmentation.small import small_webp

    artifact = file_of(image, Artifact.Kind.PREVIEW, Artifact.Kind.SOURCE)
    size = (artifact.width or 0) * (artifact.height or 0)
    limits = limits_from_json(image.job.limits)
    return pixels.renderings.run(small_webp, storage.read(artifact.key), limits, SIDE_PX, pixels=size)
