"""Variants: a processed picture is rendered again with other options.

A rendering uses the stored alpha, so no model runs and nothing is charged.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs import pixels
from jobs.errors import NoResults, ServerBusy
from jobs.inference.corrections import correction_note
from jobs.intake.sources import default_limits, limits_from_json
from jobs.models import Artifact, JobImage, Status
from jobs.quota.charges import usage_check
from jobs.quota.limits import quota_of
from jobs.results import storage
from jobs.results.artifacts import artifact_keep
from jobs.results.downloads import download_note
from jobs.results.selectors import artifact_of
from jobs.teams.actor import Actor
from segmentation.errors import InvalidParameter
from segmentation.options import CutoutOptions, Method

if TYPE_CHECKING:
    from jobs.models import BackgroundPicture
    from segmentation.finish.recipe import Recipe
    from segmentation.finish.variant import FinishedFiles
    from segmentation.variant import VariantFile, VariantInput

MAX_BRUSH_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Rendering:
    """A rendering that runs in a separate process. The methods wait for it, return its files, or cancel it."""

    image: JobImage
    future: Future[Any]

    def result(self) -> VariantFile:
        """Wait for the rendering and return its file.

        If a recipe made several files, return the first file and delete the others.

        Raise the error of the rendering, for example for an invalid brush. Raise ServerBusy if the rendering process
        has died.
        """
        rendered = done_rendering(self.future)
        first: VariantFile
        first, *others = getattr(rendered, "files", (rendered,))
        for file in others:
            file.path.unlink(missing_ok=True)
        return first

    def finished(self) -> FinishedFiles:
        """Wait for a rendering with a recipe and return its files. Raise the same errors as `result`."""
        finished: FinishedFiles = done_rendering(self.future)
        return finished

    def drop(self) -> None:
        """Cancel the rendering after its client has disconnected.

        If the rendering is already running, its files are deleted afterwards.
        """
        self.future.cancel()
        self.future.add_done_callback(_file_dropped)


def done_rendering(future: Future[Any]) -> Any:
    """Wait for a rendering and return its result; raise ServerBusy if the rendering process has died."""
    try:
        return future.result()
    except pixels.PROCESS_FAILED as error:
        raise ServerBusy from error


def variant_begin(
    *,
    actor: Actor,
    image: JobImage,
    options: CutoutOptions,
    brush_png: bytes = b"",
    people: Sequence[int] | None = None,
    for_screen: bool = False,
    with_thumbnail: bool = False,
    recipe: Recipe | None = None,
    background: BackgroundPicture | None = None,
) -> Rendering:
    """Start a rendering of a processed picture with other options, and return the rendering.

    If the actor is not the submitter of the job, the audit trail records the access.

    recipe: a recipe that makes finished files from the cutout; None means a plain cutout.
    background: the background picture of the recipe; None means that the recipe uses none.
    brush_png: a gray PNG of the same size as the picture, in which 0 erases, 255 restores and 128 changes nothing;
        empty means no brush.
    people: the ids of the people to keep in the picture of an `instances` job. Other people become background. None
        means that all people stay.
    for_screen: whether to render from the stored preview if it is smaller than the picture, because this is faster.
    with_thumbnail: whether to write a thumbnail too.

    Raise NoResults if the picture has no result or its files are deleted, InvalidParameter for `people` in a job
    without instances, RateLimited if the team has too many renderings in progress, and ServerBusy if too many
    renderings are queued.
    """
    from segmentation.variant import VariantInput

    source = artifact_of(image, Artifact.Kind.SOURCE)
    alpha = artifact_of(image, Artifact.Kind.ALPHA)
    if image.status != Status.SUCCEEDED or source is None or alpha is None:
        raise NoResults("This picture has no result to render again.")
    if brush_png and not for_screen:
        correction_note(image=image)
    preview = _smaller_preview(image) if for_screen else None
    if preview is not None:
        options = replace(options, erosion=round(options.erosion * (preview.width or 0) / (image.width or 1)))
    ids = _ids_of(image) if people is not None else None
    give_back = pixels.renderings_of_team.take(image.job.team_id)
    with ExitStack() as undo:
        undo.callback(give_back)
        files = FilesOnDisk(undo)
        wanted = VariantInput(
            source=files.path_of(preview or source),
            size=None if preview is None else (preview.width or 0, preview.height or 0),
            alpha=files.path_of(alpha),
            options=options,
            limits=limits_from_json(image.job.limits),
            brush_png=brush_png,
            brush_limits=default_limits(max_bytes=MAX_BRUSH_BYTES, formats=frozenset({"png"})),
            ids=files.path_of(ids) if ids is not None else None,
            people=tuple(people or ()),
            with_thumbnail=with_thumbnail,
        )
        size = (image.width or 0) * (image.height or 0)
        enlarged = 1.0 if preview is None else (image.width or 1) / (preview.width or 1)
        work = _work_of(wanted, recipe, files.path_of(background) if background else None, for_screen, enlarged)
        future = pixels.renderings.submit(*work, pixels.rendering_folder(), pixels=size)
        later = undo.pop_all()
    future.add_done_callback(lambda _: later.close())
    download_note(actor=actor, artifact=source)
    return Rendering(image, future)


def _work_of(
    wanted: VariantInput, recipe: Recipe | None, background: Path | None, for_screen: bool, enlarged: float
) -> tuple[Callable[..., Any], Any]:
    """Return the function that renders the picture, and the first argument for this function."""
    from segmentation.variant import variant_write

    if recipe is None:
        return variant_write, wanted
    from segmentation.finish.variant import FinishInput, finish_write

    return finish_write, FinishInput(wanted, recipe, background, for_screen, enlarged)


def _smaller_preview(image: JobImage) -> Artifact | None:
    """Return the preview of a picture if it is smaller than the picture; otherwise return None."""
    preview = artifact_of(image, Artifact.Kind.PREVIEW)
    if preview is None or not preview.width or not image.width or preview.width >= image.width:
        return None
    return preview


class FilesOnDisk:
    """Local paths of stored files. A file in a bucket is first copied to a temporary file.

    undo: an exit stack that deletes the copies when it is closed.
    """

    def __init__(self, undo: ExitStack) -> None:
        self._undo = undo

    def path_of(self, stored: Artifact | BackgroundPicture) -> Path:
        path = storage.local_path(stored.key)
        if path is not None:
            return path
        copy = tempfile.NamedTemporaryFile(dir=pixels.rendering_folder())  # noqa: SIM115  `undo` closes it
        self._undo.enter_context(copy)
        with storage.open_file(stored.key) as content:
            shutil.copyfileobj(content, copy, 2**20)
        copy.flush()
        return Path(copy.name)


def _ids_of(image: JobImage) -> Artifact:
    """Return the mask in which each pixel stores the id of a person.

    Raise InvalidParameter if the picture is not from an `instances` job, because only these jobs have this mask.
    """
    stored = artifact_of(image, Artifact.Kind.MASK)
    if image.job.options.get("method") != Method.INSTANCES or stored is None:
        raise InvalidParameter("people: this picture was not cut out by people", field="people")
    return stored


def _file_dropped(future: Future[Any]) -> None:
    if not future.cancelled() and future.exception() is None:
        rendered = future.result()
        for file in getattr(rendered, "files", (rendered,)):
            for each in (file, getattr(file, "thumbnail", None)):
                if each is not None:
                    each.path.unlink(missing_ok=True)


def variant_keep(
    *, image: JobImage, rendered: VariantFile, kind: Artifact.Kind = Artifact.Kind.VARIANT, name: str = ""
) -> Artifact:
    """Store a rendering beside the original result, delete its temporary file, and return the new row.

    kind: the kind of the row.
    name: the readable name of a file that a recipe made; empty for other renderings.

    Raise QuotaExceeded if the team's storage is full, StorageFailed if the storage fails, and JobNotFound if the
    picture has been deleted.
    """
    team = image.job.team
    try:
        usage_check(team=team, quota=quota_of(team), new_bytes=rendered.path.stat().st_size, units=0)
        number = uuid.uuid4().hex[:8]
        folder = storage.folder_of(image.job, image.position)
        key = f"{folder}finished-{number}/{name}" if name else f"{folder}variant-{number}{rendered.extension}"
        return artifact_keep(
            image=image,
            kind=kind,
            key=key,
            data=rendered.path.read_bytes(),
            content_type=rendered.content_type,
            width=rendered.width,
            height=rendered.height,
        )
    finally:
        rendered.path.unlink(missing_ok=True)
