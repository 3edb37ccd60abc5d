"""Apply a recipe to a stored result in the separate process for renderings. No model runs, and nothing is charged."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from django.conf import settings

from jobs import pixels
from jobs.errors import OutputNotFound
from jobs.intake.sources import default_limits
from jobs.models import Artifact, BackgroundPicture, JobImage, Team
from jobs.recipes.names import file_name_of
from jobs.recipes.selectors import NamedRecipe, background_get
from jobs.results import storage
from jobs.results.variants import Rendering, done_rendering, variant_begin, variant_keep
from jobs.teams.actor import Actor
from segmentation.errors import InvalidParameter
from segmentation.finish.recipe import PictureBackground, Recipe
from segmentation.options import CutoutOptions

if TYPE_CHECKING:
    from segmentation.finish.variant import FinishedFiles
    from segmentation.variant import VariantFile

BACKGROUND_SIDE_PX = 1600  # pixels of the longer side of a background picture's copy for screens
SAMPLES = ("portrait", "cat")  # static/samples/<name>-before.webp and -after.webp


@dataclass(frozen=True, slots=True)
class SampleRendering:
    """A running rendering that applies a recipe to one of the sample pictures of the site."""

    future: Future[Any]

    def finished(self) -> FinishedFiles:
        """Wait until the rendering has ended, and return its files.

        Raise InvalidParameter if the recipe cannot be applied to the sample, and ServerBusy if the process failed.
        """
        finished: FinishedFiles = done_rendering(self.future)
        return finished

    def drop(self) -> None:
        """Cancel the rendering when its client has disconnected.

        If the rendering already runs, its files are deleted when it ends.
        """
        self.future.cancel()
        self.future.add_done_callback(_files_dropped)


def finish_begin(
    *,
    actor: Actor,
    image: JobImage,
    recipe: Recipe,
    options: CutoutOptions,
    brush_png: bytes = b"",
    for_screen: bool = False,
) -> Rendering:
    """Start a rendering that applies a recipe to a stored result, and return the rendering.

    The function calls `variant_begin` with the background picture of the recipe.

    options: the options of the cutout to which the recipe is applied.
    brush_png: corrections with the brush, as a gray PNG; empty for no corrections.
    for_screen: whether a preview is used instead of the full picture, because this is faster.

    Raise the errors of `variant_begin`, and NotFound if the background picture does not exist.
    """
    return variant_begin(
        actor=actor,
        image=image,
        options=options,
        brush_png=brush_png,
        for_screen=for_screen,
        recipe=recipe,
        background=background_of(image.job.team, recipe),
    )


def sample_begin(*, actor: Actor, sample: str, recipe: Recipe) -> SampleRendering:
    """Start a rendering that applies a recipe to a sample picture, and return the rendering.

    sample: one of SAMPLES.

    Raise InvalidParameter for an unknown sample, NotFound if the background picture does not exist, RateLimited if the
    actor's team has too many renderings in progress, and ServerBusy if too many renderings wait.
    """
    from segmentation.finish.variant import sample_write

    if sample not in SAMPLES:
        raise InvalidParameter(f"sample: choose from {', '.join(SAMPLES)}", field="sample")
    folder = Path(settings.BASE_DIR) / "static" / "samples"
    background = background_of(actor.team, recipe)
    give_back = pixels.renderings_of_team.take(actor.team.pk)
    try:
        behind = None if background is None else _local(background)
        future = pixels.renderings.submit(
            sample_write,
            folder / f"{sample}-before.webp",
            folder / f"{sample}-after.webp",
            recipe,
            behind,
            default_limits(),
            pixels.rendering_folder(),
        )
    except BaseException:
        give_back()
        raise
    future.add_done_callback(lambda _: give_back())
    return SampleRendering(future)


def finish_keep(*, image: JobImage, named: NamedRecipe, finished: FinishedFiles) -> list[Artifact]:
    """Store the files of a finished result, and return their rows. The recipe `named` defines the file names.

    The temporary files are deleted, even after an error. Raise QuotaExceeded if the team's storage is full,
    StorageFailed if the storage fails, and JobNotFound if the picture has been deleted.
    """
    kept = []
    waiting = list(finished.files)
    try:
        for number, file in enumerate(finished.files, start=1):
            waiting.remove(file)
            name = name_of(image, named, number, file)
            kept.append(variant_keep(image=image, rendered=file, kind=Artifact.Kind.FINISHED, name=name))
    finally:
        for file in waiting:
            file.path.unlink(missing_ok=True)
    return kept


def name_of(image: JobImage, named: NamedRecipe, number: int, file: VariantFile) -> str:
    """Return the public name of a file that the recipe `named` made.

    number: the number of the output, from 1.
    """
    return file_name_of(
        named.recipe.outputs[number - 1].name,
        name=image.name,
        recipe=named.name,
        number=number,
        extension=file.extension.removeprefix("."),
    )


def file_chosen(finished: FinishedFiles, number: int) -> VariantFile:
    """Return the file of one output and delete the other files. Raise OutputNotFound if there is no such output.

    number: the number of the output, from 1.
    """
    for place, file in enumerate(finished.files, start=1):
        if place != number:
            file.path.unlink(missing_ok=True)
    if not 1 <= number <= len(finished.files):
        raise OutputNotFound(
            f"The recipe has {len(finished.files)} outputs, and none numbered {number}.", field="output"
        )
    return finished.files[number - 1]


def background_of(team: Team, recipe: Recipe) -> BackgroundPicture | None:
    """Return the background picture that a recipe uses, or None if it uses no picture.

    Raise NotFound if the team does not have this picture.
    """
    if not isinstance(recipe.background, PictureBackground):
        return None
    return background_get(team, recipe.background.picture)


def background_begin(*, actor: Actor, name: str) -> Future[bytes]:
    """Start a rendering that makes a small WebP copy of a team's background picture.

    Return the future of the bytes of the copy. The sides of the copy have at most BACKGROUND_SIDE_PX pixels.

    Raise NotFound if the team has no such picture, StorageFailed if the file cannot be read, and ServerBusy if too many
    renderings wait.
    """
    from segmentation.small import small_webp

    stored = background_get(actor.team, name)
    data, size = storage.read(stored.key), (stored.width or 0) * (stored.height or 0)
    return pixels.renderings.submit(small_webp, data, default_limits(), BACKGROUND_SIDE_PX, pixels=size)


def _local(background: BackgroundPicture) -> Path:
    """Return a local path of a background picture's file.

    If the storage is a bucket, the file is first copied to the folder of renderings.
    """
    path = storage.local_path(background.key)
    if path is not None:
        return path
    copy = pixels.rendering_folder() / f"background-{background.pk}{PurePosixPath(background.key).suffix}"
    copy.write_bytes(storage.read(background.key))
    return copy


def _files_dropped(future: Future[Any]) -> None:
    if not future.cancelled() and future.exception() is None:
        for file in future.result().files:
            file.path.unlink(missing_ok=True)
