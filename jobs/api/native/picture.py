"""Native API: return the picture of a job as the body of the response."""

from __future__ import annotations

from django.http import FileResponse

from jobs.errors import NotFound
from jobs.models import Artifact, JobImage
from jobs.results import storage
from jobs.results.selectors import file_of

NOTES_HEADER = "Keyline-Notes"  # what the job's JSON tells under `notes`, such as that nothing was found


def picture_response(image: JobImage) -> FileResponse:
    """Return the first output of a successful picture; a recipe's file has precedence over the cutout.

    Raise NotFound when it has been deleted, and when the job's recipes gave no file.
    """
    kinds = Artifact.Kind
    if image.job.recipes:
        finished = [stored for stored in image.artifacts.all() if stored.kind == kinds.FINISHED]
        if not finished:
            raise NotFound("; ".join(image.notes) or "The recipe gave no file.")
        artifact = finished[0]
    else:
        artifact = file_of(image, kinds.CUTOUT, kinds.MASK, kinds.VISUALIZATION, kinds.ALPHA)
    response = FileResponse(
        storage.open_file(artifact.key), content_type=artifact.content_type, filename=artifact.file_name
    )
    if image.notes:
        response[NOTES_HEADER] = "; ".join(image.notes)
    return response
