"""Check of a finished picture against the rules of a shop or of an authority, such as the rules for passport photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.finish.files import CONTENT_TYPES, Layers, Written
from segmentation.finish.placing import Place
from segmentation.finish.recipe import Recipe
from segmentation.options import Color

_BORDER_SHARE = 0.02
_ASPECT_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: the rule's name, and a sentence with the actual and the required value."""

    rule: str
    message: str


def violations(
    pixels: np.ndarray, layers: Layers, place: Place, recipe: Recipe, files: Sequence[Written]
) -> tuple[Violation, ...]:
    """Return a Violation for each rule of the recipe that the result breaks; empty if the recipe has no rules.

    pixels: the finished picture, (H, W, 3) uint8, or (H, W, 4) if it is transparent.
    layers: the layers of the picture.
    place: only its fields `width` and `height`, the picture's size, are used.
    files: the encoded files, in the order of `recipe.outputs`.
    """
    rules = recipe.rules
    if rules is None:
        return ()
    found: list[Violation] = []

    def broken(rule: str, message: str) -> None:
        found.append(Violation(rule, message))

    share = subject_share(layers.subject[:, :, 3])
    if rules.min_fill is not None and share < rules.min_fill - 0.005:
        broken(
            "min_fill", f"The subject fills {share:.0%} of the picture, but at least {rules.min_fill:.0%} is required."
        )
    if rules.max_fill is not None and share > rules.max_fill + 0.005:
        broken(
            "max_fill", f"The subject fills {share:.0%} of the picture, but at most {rules.max_fill:.0%} is allowed."
        )
    longer = max(place.width, place.height)
    if rules.min_side_px is not None and longer < rules.min_side_px:
        broken("min_side_px", f"The longer side has {longer} pixels, but at least {rules.min_side_px} are required.")
    shorter = min(place.width, place.height)
    if rules.min_short_side_px is not None and shorter < rules.min_short_side_px:
        broken(
            "min_short_side_px",
            f"The shorter side has {shorter} pixels, but at least {rules.min_short_side_px} are required.",
        )
    if rules.max_side_px is not None and longer > rules.max_side_px:
        broken("max_side_px", f"The longer side has {longer} pixels, but at most {rules.max_side_px} are allowed.")
    if rules.aspect is not None and not _has_aspect(place, rules.aspect):
        broken("aspect", f"The picture is {place.width} x {place.height}, but {rules.aspect} is required.")
    if not rules.allows_shadow and layers.shadow is not None and layers.shadow[:, :, 3].any():
        broken("allows_shadow", "The picture has a shadow or reflection, which is not allowed.")
    if not rules.allows_transparency and pixels.shape[2] == 4:
        broken("allows_transparency", "The picture is transparent, but a background is required.")
    if rules.background is not None and not _border_is(pixels, layers, rules.background):
        broken("background", f"The background is not {rules.background} all round the subject.")
    for output, file in zip(recipe.outputs, files, strict=True):
        if rules.formats and output.format not in rules.formats:
            broken("formats", f"The file is {output.format}, but only {', '.join(rules.formats)} is allowed.")
        kind = CONTENT_TYPES[output.format][1]
        if rules.min_bytes is not None and len(file.data) < rules.min_bytes:
            broken("min_bytes", f"The {kind} has {len(file.data)} bytes, less than {rules.min_bytes}.")
        if rules.max_bytes is not None and len(file.data) > rules.max_bytes:
            broken("max_bytes", f"The {kind} has {len(file.data)} bytes, more than {rules.max_bytes}.")
    return tuple(found)


def subject_share(alpha: np.ndarray) -> float:
    """Return the share of the canvas's width or height, 0..1, that the subject's box covers: the larger of the two.

    alpha: the subject's alpha on the canvas, (H, W) uint8. Pixels of at least 128 belong to the subject.
    """
    _, _, width, height = cv2.boundingRect((alpha >= 128).view(np.uint8))
    return max(width / alpha.shape[1], height / alpha.shape[0])


def _has_aspect(place: Place, aspect: str) -> bool:
    width, height = (int(part) for part in aspect.split(":"))
    return abs(place.width / place.height / (width / height) - 1) <= _ASPECT_TOLERANCE


def _border_is(pixels: np.ndarray, layers: Layers, color: str) -> bool:
    """Return whether the strip along the canvas's border has exactly this colour.

    Pixels of the strip that show the subject are not checked.
    """
    if pixels.shape[2] == 4:
        return False
    parsed = Color.parse(color)
    free = layers.subject[:, :, 3] == 0
    strip = max(1, round(_BORDER_SHARE * min(free.shape)))
    inner = np.zeros(free.shape, bool)
    inner[strip:-strip, strip:-strip] = True
    seen = pixels[free & ~inner]
    return bool((seen == (parsed.red, parsed.green, parsed.blue)).all())
