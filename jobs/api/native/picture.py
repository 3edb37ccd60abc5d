"""Native API: return the result of a job as a picture instead of JSON."""

from __future__ import annotations

from django.http import FileResponse

from jobs.models import Artifact, JobImage
from jobs.results import storage
from jobs.results.selectors import result_of

NOTES_HEADER = "Keyline-Notes"  # the `notes` of the job's JSON, for example that nothing was found


def picture_response(image: JobImage) -> FileResponse:
    """Return a response with the result file of a successful picture.

    If the job has recipes, send the file of the first recipe. Otherwise send the first existing file of this list:
    cutout, mask, visualization, alpha. Raise NotFound if the file has been deleted, or if the job has recipes but no
    finished file.
    """
    kinds = Artifact.Kind
    artifact = result_of(image, kinds.CUTOUT, kinds.MASK, kinds.VISUALIZATION, kinds.ALPHA)
    response = FileResponse(
        storage.open_file(artifact.key), content_type=artifact.content_type, filename=artifact.file_name
    )
    if image.notes:
        response[NOTES_HEADER] = "; ".join(image.notes)
    return response
