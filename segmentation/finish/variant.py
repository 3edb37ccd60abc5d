"""Finishing of a picture from its stored files, in a separate process (see `segmentation.variant`)."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from segmentation.compose import Rendered, crop_box, cut, render_thumbnail
from segmentation.encode import read_alpha, to_float
from segmentation.errors import ImageUnreadable
from segmentation.finish.files import Written
from segmentation.finish.finish import Finished, finish
from segmentation.finish.recipe import FileFormat, OutputFile, Recipe, Rules, TransparentBackground
from segmentation.image import Limits, decode
from segmentation.options import AlphaMode, CutoutOptions
from segmentation.postprocess import foreground_box, shape_alpha, to_levels
from segmentation.variant import VariantFile, VariantInput, edited_alpha

SCREEN_SIDE_PX = 900
SAMPLE_ENLARGED = 8.0  # a sample represents a photo of usual size


@dataclass(frozen=True, slots=True)
class FinishInput:
    """The input of `finish_write`.

    variant: the stored files and the options of the cutout.
    background: the file of the background picture that the recipe names, or None.
    for_screen: write only one small file for the web page, which is faster.
    enlarged: the width of the original divided by the width of the source. It is above 1 if the source is a smaller
    preview.
    """

    variant: VariantInput
    recipe: Recipe
    background: Path | None = None
    for_screen: bool = False
    enlarged: float = 1.0


@dataclass(frozen=True, slots=True)
class FinishedFiles:
    """The files of one recipe, in the order of its outputs. The caller must delete them.

    notes: sentences about rules and placement requirements that were not met.
    """

    files: tuple[VariantFile, ...]
    notes: tuple[str, ...]


def finish_write(wanted: FinishInput, folder: Path) -> FinishedFiles:
    """Apply the recipe of `wanted` and write its files into `folder`.

    If `wanted` requests a thumbnail, also write a thumbnail of the first file.

    Raise InvalidParameter for a brush that is not a PNG, a missing background picture, and an output that is too large
    for its format or `max_bytes`. Raise ImageError if the source cannot be read or differs in size from the alpha.
    """
    variant = wanted.variant
    rgb = decode(variant.source.read_bytes(), variant.limits).rgb
    alpha = shaped_alpha(edited_alpha(variant), variant.options)
    _require_same_size(rgb, alpha)
    if variant.options.crop and wanted.recipe.canvas.ratio is None and wanted.recipe.placement.fill is None:
        rgb, alpha = _cropped(rgb, alpha, variant.options.crop_margin)
    recipe = screen_recipe(wanted.recipe, wanted.enlarged) if wanted.for_screen else wanted.recipe
    background = None if wanted.background is None else decode(wanted.background.read_bytes(), variant.limits).rgb
    finished = _finished(
        rgb,
        alpha,
        recipe,
        background,
        decontaminates=variant.options.decontaminate,
        for_screen=wanted.for_screen,
    )
    files = _written(finished, folder)
    if not variant.with_thumbnail:
        return files
    first, *others = files.files
    small = _thumbnail(finished.pixels)
    stored = _stored(Written(small.data, small.content_type, "webp", small.width, small.height), folder)
    return replace(files, files=(replace(first, thumbnail=stored), *others))


def _cropped(rgb: np.ndarray, alpha: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo and its alpha, cropped to the subject's box like a cutout.

    margin: the space around the box, as in `crop_box`.
    """
    height, width = alpha.shape
    box = crop_box(foreground_box(to_levels(alpha)), margin, width, height)
    return np.ascontiguousarray(cut(rgb, box)), np.ascontiguousarray(cut(alpha, box))


def _require_same_size(rgb: np.ndarray, alpha: np.ndarray) -> None:
    if alpha.shape != rgb.shape[:2]:
        raise ImageUnreadable("The stored alpha belongs to a picture of another size.")


def _thumbnail(pixels: np.ndarray) -> Rendered:
    """Encode the thumbnail of a finished picture, (H, W, 3) or (H, W, 4) uint8."""
    alpha = pixels[:, :, 3] if pixels.shape[2] == 4 else np.full(pixels.shape[:2], 255, np.uint8)
    return render_thumbnail(np.ascontiguousarray(pixels[:, :, :3]), np.ascontiguousarray(alpha))


def sample_write(
    before: Path, after: Path, recipe: Recipe, background: Path | None, limits: Limits, folder: Path
) -> FinishedFiles:
    """Apply a recipe to a sample picture and write one small file into `folder`.

    before, after: picture files of the photo and its transparent cutout, of the same size.
    background: the picture file of the recipe's background, or None.
    limits: the limits of all these files.

    Raise ImageUnreadable if the cutout has no transparency or differs in size from the photo.
    """
    rgb, cutout = decode(before.read_bytes(), limits).rgb, decode(after.read_bytes(), limits)
    if cutout.alpha is None:
        raise ImageUnreadable("The sample's cut-out has no transparency.")
    _require_same_size(rgb, cutout.alpha)
    behind = None if background is None else decode(background.read_bytes(), limits).rgb
    screen = screen_recipe(recipe, SAMPLE_ENLARGED)
    return _written(_finished(rgb, cutout.alpha, screen, behind, for_screen=True), folder)


def shaped_alpha(alpha_png: bytes, options: CutoutOptions) -> np.ndarray:
    """Return a stored alpha, (H, W) float32 0..1, after the threshold, erosion and feathering of the options.

    alpha_png: the stored alpha, as a PNG file.
    """
    alpha = read_alpha(alpha_png)
    is_plain = options.alpha_mode is AlphaMode.SOFT and not options.feathering
    if is_plain and not options.threshold and not options.erosion:
        return alpha
    return to_float(shape_alpha(alpha, options))


def screen_recipe(recipe: Recipe, enlarged: float) -> Recipe:
    """Return a copy of a recipe for a web page. It makes one small file that looks like the finished picture.

    The file is a JPEG, or a WebP if the background is transparent. Its longer side is at most SCREEN_SIDE_PX. Rules
    about files and sizes are removed, because they concern only the files of the original recipe.

    In the copy, `max_enlargement` is adapted, so that the subject fills the same share of the canvas.

    enlarged: the width of the original divided by the width of the smaller picture to which the copy is applied.
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
    sizes = dict.fromkeys(("min_side_px", "min_short_side_px", "max_side_px", "min_bytes", "max_bytes"))
    return rules.model_copy(update=sizes | {"formats": ()})


def _finished(
    rgb: np.ndarray,
    alpha: np.ndarray,
    recipe: Recipe,
    background: np.ndarray | None,
    *,
    decontaminates: bool = True,
    for_screen: bool = False,
) -> Finished:
    colors = None if decontaminates else rgb
    return finish(rgb, alpha, recipe, background_picture=background, colors=colors, for_screen=for_screen)


def _written(finished: Finished, folder: Path) -> FinishedFiles:
    files = tuple(_stored(file, folder) for file in finished.files)
    return FinishedFiles(files, (*(broken.message for broken in finished.violations), *finished.notes))


def _stored(written: Written, folder: Path) -> VariantFile:
    extension = f".{written.extension}"
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=extension)
    with os.fdopen(descriptor, "wb") as file:
        file.write(written.data)
    return VariantFile(Path(name), written.content_type, extension, written.width, written.height, {})
