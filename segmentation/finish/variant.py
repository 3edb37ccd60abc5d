"""Apply a recipe to a picture's stored files, in a separate process as `segmentation.variant` does."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segmentation.encode import read_alpha, to_float
from segmentation.errors import ImageUnreadable
from segmentation.finish.files import Written
from segmentation.finish.finish import Finished, finish
from segmentation.finish.recipe import FileFormat, OutputFile, Recipe, Rules, TransparentBackground
from segmentation.image import Limits, decode
from segmentation.options import AlphaMode, CutoutOptions
from segmentation.postprocess import shape_alpha
from segmentation.variant import VariantFile, VariantInput, edited_alpha

SCREEN_SIDE_PX = 900
SAMPLE_ENLARGED = 8.0  # a sample is treated as a reduced photo of usual size


@dataclass(frozen=True, slots=True)
class FinishInput:
    """The input of a finished picture. background: the file of the picture that the recipe names.

    for_screen: render one small file for the page, which is faster. enlarged: the original's width divided by the
    source's width, if the source is a smaller preview.
    """

    variant: VariantInput
    recipe: Recipe
    background: Path | None = None
    for_screen: bool = False
    enlarged: float = 1.0


@dataclass(frozen=True, slots=True)
class FinishedFiles:
    """The files of one recipe in the order of its outputs, and notes on broken rules."""

    files: tuple[VariantFile, ...]
    notes: tuple[str, ...]


def finish_write(wanted: FinishInput, folder: Path) -> FinishedFiles:
    """Apply a recipe and write its files into `folder`.

    Raise InvalidParameter for a brush that is not a PNG, and for an output that its format or its `max_bytes` does not
    allow. Raise ImageError for files that do not belong together.
    """
    variant = wanted.variant
    rgb = decode(variant.source.read_bytes(), variant.limits).rgb
    alpha = shaped_alpha(edited_alpha(variant), variant.options)
    recipe = screen_recipe(wanted.recipe, wanted.enlarged) if wanted.for_screen else wanted.recipe
    background = None if wanted.background is None else decode(wanted.background.read_bytes(), variant.limits).rgb
    return _written(_finished(rgb, alpha, recipe, background), folder)


def sample_write(
    before: Path, after: Path, recipe: Recipe, background: Path | None, limits: Limits, folder: Path
) -> FinishedFiles:
    """Apply a recipe to a sample: picture files of a photo and of its transparent cut-out, both with the same size."""
    rgb, cutout = decode(before.read_bytes(), limits).rgb, decode(after.read_bytes(), limits)
    if cutout.alpha is None:
        raise ImageUnreadable("The sample's cut-out has no transparency.")
    behind = None if background is None else decode(background.read_bytes(), limits).rgb
    return _written(_finished(rgb, cutout.alpha, screen_recipe(recipe, SAMPLE_ENLARGED), behind), folder)


def shaped_alpha(alpha_png: bytes, options: CutoutOptions) -> np.ndarray:
    """Return a stored alpha with the options' threshold, erosion and feathering applied, (H, W) float32 0..1."""
    alpha = read_alpha(alpha_png)
    if options.alpha_mode is AlphaMode.SOFT and not options.threshold and not options.erosion:
        return alpha
    return to_float(shape_alpha(alpha, options))


def screen_recipe(recipe: Recipe, enlarged: float) -> Recipe:
    """Return a recipe for one file of at most SCREEN_SIDE_PX per side that looks the same.

    enlarged: the original's width divided by the width of the picture to which the recipe is applied. Rules on files
    and sizes are omitted, because they apply only to the recipe's own files.
    """
    canvas, placement = recipe.canvas, recipe.placement
    longer = max(canvas.width_px or 0, canvas.height_px or 0)
    factor = min(1.0, SCREEN_SIDE_PX / longer) if longer else 1.0
    if canvas.width_px and canvas.height_px:
        size = {"width_px": round(canvas.width_px * factor), "height_px": round(canvas.height_px * factor)}
    else:
        most = min(SCREEN_SIDE_PX, canvas.max_side_px)
        size = {"max_side_px": most, "min_side_px": min(canvas.min_side_px, most)}
    is_transparent = isinstance(recipe.background, TransparentBackground)
    output = OutputFile(format=FileFormat.WEBP if is_transparent else FileFormat.JPEG, quality=88)
    return recipe.model_copy(
        update={
            "canvas": canvas.model_copy(update=size),
            "placement": placement.model_copy(
                update={"max_enlargement": placement.max_enlargement * factor * enlarged}
            ),
            "outputs": (output,),
            "rules": None if recipe.rules is None else _screen_rules(recipe.rules),
        }
    )


def _screen_rules(rules: Rules) -> Rules:
    return rules.model_copy(update={"min_side_px": None, "max_side_px": None, "formats": (), "max_bytes": None})


def _finished(rgb: np.ndarray, alpha: np.ndarray, recipe: Recipe, background: np.ndarray | None) -> Finished:
    if alpha.shape != rgb.shape[:2]:
        raise ImageUnreadable("The stored alpha belongs to a picture of another size.")
    return finish(rgb, alpha, recipe, background_picture=background)


def _written(finished: Finished, folder: Path) -> FinishedFiles:
    files = tuple(_stored(file, folder) for file in finished.files)
    return FinishedFiles(files, (*(broken.message for broken in finished.violations), *finished.notes))


def _stored(written: Written, folder: Path) -> VariantFile:
    extension = f".{written.extension}"
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=extension)
    with os.fdopen(descriptor, "wb") as file:
        file.write(written.data)
    return VariantFile(Path(name), written.content_type, extension, written.width, written.height, {})
