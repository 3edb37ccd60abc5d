"""The steps that apply a recipe (the description of a finished picture) to a picture, in their order."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from segmentation.finish.backgrounds import paint
from segmentation.finish.checks import Violation, violations
from segmentation.finish.edges import add_grain, despill, grain_of, key_alpha, light_wrap
from segmentation.finish.files import Layers, Written, write_file
from segmentation.finish.holes import with_holes
from segmentation.finish.placing import Place, place
from segmentation.finish.recipe import Holes, Outline, Recipe, Shadow, ShadowType
from segmentation.finish.shadows import reflection, shadow_opacity
from segmentation.foreground import decontaminate
from segmentation.options import Color
from segmentation.postprocess import to_levels

_MOST_SCALED = 8  # times the canvas's area: a larger scaled source is cropped to what the canvas shows
_MARGIN_PX = 3  # pixels of the source, so that the interpolation at the canvas's edges does not change


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """A finished picture before it is encoded.

    pixels: (H, W, 3) uint8, or (H, W, 4) if it is transparent.
    layers: the same picture in layers.
    place: the position and the scale of the source on the canvas.
    notes: sentences about requirements that were not met.
    """

    pixels: np.ndarray
    layers: Layers
    place: Place
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """The result of one recipe.

    files: the files of the recipe's outputs, in the same order.
    violations: the rules of the recipe that the result breaks.
    notes: sentences about other requirements that were not met.
    pixels: the pixels of `Composed`.
    """

    files: tuple[Written, ...]
    violations: tuple[Violation, ...]
    notes: tuple[str, ...]
    pixels: np.ndarray


def finish(
    rgb: np.ndarray,
    alpha: np.ndarray,
    recipe: Recipe,
    *,
    background_picture: np.ndarray | None = None,
    colors: np.ndarray | None = None,
    for_screen: bool = False,
) -> Finished:
    """Apply a recipe to a photo, (H, W, 3) uint8 sRGB, and its alpha, (H, W) float32 0..1.

    background_picture: the background picture, (h, w, 3) uint8, if the recipe uses a picture.
    colors: the photo without the old background's colour at the subject's edge, (H, W, 3) uint8; None to compute it.
    for_screen: as in `write_file`.

    Raise InvalidParameter for a missing background picture, and for an output that is too large for its format or for
    `max_bytes`.
    """
    composed = compose(rgb, alpha, recipe, background_picture=background_picture, colors=colors)
    files = []
    for output in recipe.outputs:
        layer = composed.layers.shadow
        if output.shadow_layer:
            shown = layer if layer is not None else np.zeros_like(composed.layers.subject)
        else:
            shown = composed.pixels
        files.append(write_file(shown, composed.layers, output, for_screen=for_screen))
    broken = violations(composed.pixels, composed.layers, composed.place, recipe, files)
    return Finished(tuple(files), broken, composed.notes, composed.pixels)


def compose(
    rgb: np.ndarray,
    alpha: np.ndarray,
    recipe: Recipe,
    *,
    background_picture: np.ndarray | None = None,
    colors: np.ndarray | None = None,
) -> Composed:
    """Return the finished pixels and their layers. The arguments are the same as those of `finish`."""
    levels = with_holes(to_levels(alpha), rgb, recipe.holes)
    if recipe.edges.key:
        levels = key_alpha(rgb, levels)
    if colors is None or recipe.edges.key or recipe.holes is not Holes.MODEL:
        colors = decontaminate(rgb, levels.astype(np.float32) / 255)
    if recipe.edges.despill:
        colors = despill(colors, levels, rgb)

    placed = place(levels, recipe.canvas, recipe.placement)
    background = paint(recipe.background, placed, source=rgb, alpha=levels, picture=background_picture)
    subject_rgb, subject_alpha = _moved(colors, levels, placed)
    if background is not None:
        if recipe.edges.match_grain:
            background = add_grain(background, grain_of(rgb, levels))
        subject_rgb = light_wrap(subject_rgb, subject_alpha, background, recipe.edges.light_wrap)
    outlined_rgb, outlined_alpha = _outlined(subject_rgb, subject_alpha, recipe.outline)
    shadow = _shadow_layer(outlined_rgb, outlined_alpha, recipe.shadow)

    layers = Layers(background, shadow, np.dstack([outlined_rgb, outlined_alpha]))
    return Composed(flatten(layers), layers, placed, placed.notes)


def flatten(layers: Layers) -> np.ndarray:
    """Return one picture made from the layers: shadow and subject are drawn over the background.

    The picture is (H, W, 3) uint8, or (H, W, 4) if there is no background.
    """
    tops = [layer for layer in (layers.shadow, layers.subject) if layer is not None]
    if layers.background is not None:
        drawn = layers.background.copy()
        for layer in tops:
            _lay_over(drawn, layer)
        return drawn
    result = tops[0]
    for layer in tops[1:]:
        result = _over(result, layer)
    return result


def _moved(rgb: np.ndarray, alpha: np.ndarray, placed: Place) -> tuple[np.ndarray, np.ndarray]:
    """Scale the subject and move it to its place. Return its colours and its alpha in the canvas's size.

    Colours are weighted by alpha, so that colours of the old background do not mix with the subject's colours.
    """
    height, width = alpha.shape
    size = (placed.width, placed.height)
    if (width, height) == size and placed.scale == 1 and placed.left == 0 and placed.top == 0:
        return rgb, alpha
    rgb, alpha, placed = _visible(rgb, alpha, placed)
    height, width = alpha.shape
    if not height or not width:
        return np.zeros((placed.height, placed.width, 3), np.uint8), np.zeros((placed.height, placed.width), np.uint8)
    weighted = cv2.multiply(rgb, cv2.merge([alpha] * 3), scale=1 / 255)
    scaled_size = max(1, round(width * placed.scale)), max(1, round(height * placed.scale))
    kind = cv2.INTER_AREA if placed.scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(weighted, scaled_size, interpolation=kind)
    small_alpha = cv2.resize(alpha, scaled_size, interpolation=kind)
    canvas_rgb = np.zeros((placed.height, placed.width, 3), np.uint8)
    canvas_alpha = np.zeros((placed.height, placed.width), np.uint8)
    left, top = round(placed.left), round(placed.top)
    rows = slice(max(0, top), min(placed.height, top + scaled_size[1]))
    columns = slice(max(0, left), min(placed.width, left + scaled_size[0]))
    if rows.start < rows.stop and columns.start < columns.stop:
        source = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        piece = small_alpha[source]
        canvas_alpha[rows, columns] = piece
        canvas_rgb[rows, columns] = cv2.divide(small[source], cv2.merge([piece] * 3), scale=255)
    return canvas_rgb, canvas_alpha


def _visible(rgb: np.ndarray, alpha: np.ndarray, placed: Place) -> tuple[np.ndarray, np.ndarray, Place]:
    """Crop the source to the part that the canvas shows, and return the colours, the alpha and the place of this part.

    The source is cropped only if the scaled source would have more than _MOST_SCALED times the canvas's pixels.
    Otherwise return the arguments unchanged. Without the crop, enlarging a small part of a large photo would need
    gigabytes of memory.
    """
    height, width = alpha.shape
    if width * height * placed.scale**2 <= _MOST_SCALED * placed.width * placed.height:
        return rgb, alpha, placed
    first_x, last_x = _window(placed.left, placed.scale, placed.width, width)
    first_y, last_y = _window(placed.top, placed.scale, placed.height, height)
    part = slice(first_y, last_y), slice(first_x, last_x)
    moved = replace(placed, left=placed.left + first_x * placed.scale, top=placed.top + first_y * placed.scale)
    return rgb[part], alpha[part], moved


def _window(start: float, scale: float, room: int, length: int) -> tuple[int, int]:
    """Return the range of source pixels that the canvas shows in one direction: the first, and the last plus one.

    start: the position of the source's first pixel on the canvas.
    scale: canvas pixels per source pixel.
    room: the length of the canvas's side, in pixels.
    length: the length of the source's side, in pixels.
    """
    first = min(length, max(0, math.floor(-start / scale) - _MARGIN_PX))
    last = max(first, min(length, math.ceil((room - start) / scale) + _MARGIN_PX))
    return first, last


def _outlined(rgb: np.ndarray, alpha: np.ndarray, outline: Outline | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the subject with a line of even width around it; if `outline` is None, the subject without changes.

    The line is behind the subject and has a soft outer edge.
    """
    if outline is None:
        return rgb, alpha
    width = max(1.0, outline.width * min(alpha.shape))
    distance = cv2.distanceTransform((alpha < 128).view(np.uint8), cv2.DIST_L2, 5)
    line = np.rint(np.clip(width + 0.5 - distance, 0, 1) * 255).astype(np.uint8)
    parsed = Color.parse(outline.color)
    drawn = np.empty_like(rgb)
    drawn[:] = (parsed.red, parsed.green, parsed.blue)
    _lay_over(drawn, np.dstack([rgb, alpha]))
    return drawn, cv2.max(line, alpha)


def _shadow_layer(rgb: np.ndarray, alpha: np.ndarray, shadow: Shadow | None) -> np.ndarray | None:
    """Return the shadow or reflection as (H, W, 4) uint8, or None if the recipe has none."""
    if shadow is None:
        return None
    if shadow.type is ShadowType.REFLECTION:
        return np.dstack(reflection(rgb, alpha, shadow))
    parsed = Color.parse(shadow.color)
    layer = np.empty((*alpha.shape, 4), np.uint8)
    layer[:, :, :3] = (parsed.red, parsed.green, parsed.blue)
    layer[:, :, 3] = shadow_opacity(alpha, shadow)
    return layer


def _lay_over(drawn: np.ndarray, layer: np.ndarray) -> None:
    """Draw a layer, (H, W, 4) uint8, over `drawn`, (H, W, 3) uint8, in place."""
    left, top, width, height = cv2.boundingRect((layer[:, :, 3] > 0).view(np.uint8))
    if width == 0:
        return
    window = slice(top, top + height), slice(left, left + width)
    piece = layer[window]
    share = cv2.merge([np.ascontiguousarray(piece[:, :, 3])] * 3)
    front = cv2.multiply(np.ascontiguousarray(piece[:, :, :3]), share, scale=1 / 255)
    back = cv2.multiply(np.ascontiguousarray(drawn[window]), cv2.bitwise_not(share), scale=1 / 255)
    drawn[window] = cv2.add(front, back)


def _over(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return the layer `above` composed over the layer `below`, both (H, W, 4) uint8 with colours not premultiplied.

    This is the operator "over" of Porter and Duff, "Compositing Digital Images" (1984).
    """
    top, bottom = (layer.astype(np.float32) / 255 for layer in (above[:, :, 3], below[:, :, 3]))
    kept = bottom * (1 - top)
    alpha = top + kept
    colors = above[:, :, :3] * top[:, :, None] + below[:, :, :3] * kept[:, :, None]
    colors /= np.maximum(alpha, 1e-6)[:, :, None]
    result = np.empty_like(above)
    result[:, :, :3] = np.rint(np.clip(colors, 0, 255))
    result[:, :, 3] = np.rint(alpha * 255)
    return result
