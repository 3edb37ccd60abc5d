"""Open stored files in the admin, and show thumbnails of stored pictures."""

from __future__ import annotations

import io
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.templatetags.static import static
from PIL import Image, ImageOps, UnidentifiedImageError

from jobs.errors import NotFound
from jobs.models import Artifact
from jobs.results import storage
from jobs.results.downloads import download_note
from jobs.teams.caller import caller_of
from segmentation import image as pictures  # noqa: F401  registers HEIC with Pillow

THUMBNAIL_PX = 160


def artifact_open(request: HttpRequest, artifact_id: UUID) -> HttpResponse:
    """Redirect to the signed link of a stored file, and record in the audit trail that staff opened the file.

    Raise Http404 if the id is unknown.
    """
    artifact = get_object_or_404(Artifact.objects.select_related("job__team"), pk=artifact_id)
    download_note(actor=caller_of(request).staff_actor(artifact.job.team), artifact=artifact)
    return redirect(storage.link_to(artifact))


def thumbnail(artifact_id: UUID) -> HttpResponse:
    """Return a WebP thumbnail of a stored picture. Its width and height are at most THUMBNAIL_PX pixels.

    If the file is missing or unreadable, redirect to a placeholder picture. Raise Http404 if the id is unknown.
    """
    artifact = get_object_or_404(Artifact, pk=artifact_id)
    try:
        data = storage.read(artifact.key)
        with Image.open(io.BytesIO(data)) as picture:
            picture.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
            small = ImageOps.exif_transpose(picture)
            small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
            buffer = io.BytesIO()
            small.convert("RGBA").save(buffer, "WEBP", quality=80)
    except (NotFound, UnidentifiedImageError, OSError):
        return redirect(static("admin/gone.svg"))
    response = HttpResponse(buffer.getvalue(), content_type="image/webp")
    response["Cache-Control"] = "private, max-age=86400"
    return response
