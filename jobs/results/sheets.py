"""The contact sheet of a job: a PDF with the results and their names on A4 pages. Uncertain results are marked."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from jobs import pixels
from jobs.errors import NoResults
from jobs.models import Artifact, Job, JobImage, Status, Team
from jobs.results.downloads import download_note
from jobs.results.selectors import artifact_of
from jobs.results.variants import FilesOnDisk, done_rendering
from jobs.teams.actor import Actor

_READABLE = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class SheetRendering:
    """A contact sheet that is drawn in a separate process."""

    future: Future[Any]

    def result(self) -> Path:
        """Wait for the PDF and return its path. Raise ServerBusy if the process that draws the PDF has died."""
        path: Path = done_rendering(self.future)
        return path

    def drop(self) -> None:
        """Cancel the rendering of a sheet after its client has disconnected.

        If the process is already drawing the sheet, the file is deleted afterwards.
        """
        self.future.cancel()
        self.future.add_done_callback(_dropped)


def sheet_begin(*, actor: Actor, job: Job) -> SheetRendering:
    """Start a rendering of the contact sheet of a job's finished pictures, and return the rendering.

    Raise NoResults if no picture is finished, RateLimited if the team has too many renderings in progress, and
    ServerBusy if too many renderings are queued.
    """
    from segmentation.finish.sheet import Cell, sheet_write

    images = job.images.filter(status=Status.SUCCEEDED).prefetch_related("artifacts").order_by("position")
    shown = [(image, stored) for image in images if (stored := _shown(image)) is not None]
    if not shown:
        raise NoResults
    give_back: Callable[[], None] = pixels.renderings_of_team.take(actor.team.pk)
    with ExitStack() as undo:
        undo.callback(give_back)
        files = FilesOnDisk(undo)
        level = uncertain_from(job.team)
        cells = [
            Cell(files.path_of(stored), image.name or str(image.position), (image.uncertainty or 0) >= level)
            for image, stored in shown
        ]
        title = f"{job.team.name}, {job.created_at:%Y-%m-%d %H:%M}"
        future = pixels.renderings.submit(sheet_write, cells, title, pixels.rendering_folder())
        later = undo.pop_all()
    future.add_done_callback(lambda _: later.close())
    download_note(actor=actor, artifact=shown[0][1])
    return SheetRendering(future)


def uncertain_from(team: Team) -> float:
    """Return the level of uncertainty (0..1) at which a result is marked as uncertain.

    The function returns the team's level, or the site's level if the team has set none.
    """
    return settings.MATTING_AUTO_ABOVE if team.review_above is None else team.review_above


def _shown(image: JobImage) -> Artifact | None:
    """Return the file that represents a picture on the sheet; None if there is no such file.

    If recipes made files, the function returns one of these files, otherwise the thumbnail of the cutout.
    """
    for stored in image.artifacts.all():
        if stored.kind == Artifact.Kind.FINISHED and stored.content_type in _READABLE:
            return stored
    return artifact_of(image, Artifact.Kind.THUMBNAIL)


def _dropped(future: Future[Any]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().unlink(missing_ok=True)
