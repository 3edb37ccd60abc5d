"""UNet matting API: copy the results of single pictures to the folder that the operator has mounted for outputs."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from jobs.intake.folders import Place, folder_made, write_file
from jobs.models import JobImage
from jobs.results import storage

OUTPUTS = "/root/outputs"  # the original server's folder; paths in responses begin with it


def is_mounted() -> bool:
    """Return whether the operator has set a folder for outputs.

    The default folder is in the site's own storage and does not count.
    """
    roots = settings.MATTING_OUTPUT_ROOTS
    return bool(roots) and Path(roots[0]) != Path(settings.MEDIA_ROOT) / "outputs"


def export_result(image: JobImage) -> str:
    """Copy the result files of a picture to the first output folder, and return the folder's path as clients see it.

    Raise StorageFailed if the site cannot write to the folder.
    """
    place = Place(Path(os.path.realpath(settings.MATTING_OUTPUT_ROOTS[0])))
    with folder_made(place) as folder:
        for artifact in image.artifacts.all():
            if artifact.kind in storage.PUBLISHED:
                with storage.open_file(artifact.key) as content:
                    write_file(folder, storage.public_name(artifact, image), content)
    return f"{OUTPUTS}/"
