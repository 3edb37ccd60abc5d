"""Rendering of a processed picture with other options (a variant) from its stored files, in a separate process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from .compose import Rendered
from .encode import encode_alpha, quantize, read_alpha, read_texts
from .errors import ImageError, ImageUnreadable, InvalidParameter
from .image import Limits, probe
from .options import CutoutOptions, Output
from .pipeline import render_variant

BRUSH_KEEPS = 128
_SMALL_ALPHAS = 4  # cached alphas, one megabyte each: all steps of a slider are rendered from the same one


@dataclass(frozen=True, slots=True)
class VariantInput:
    """The input of a rendering.

    source, alpha: the stored files of the picture and of its alpha.
    limits, brush_limits: the limits of the source and of the brush picture.
    brush_png: a gray picture of any size that the user has painted: 0 erases, 255 restores, 128 changes nothing. If it
    is empty, there is no brush.
    ids: the stored map of person ids of an `instances` job, or None.
    people: the ids of the people to keep, if `ids` is given.
    with_thumbnail: also write a thumbnail.
    size: width and height of the source if it is smaller than the alpha, else None.
    """

    source: Path
    alpha: Path
    options: CutoutOptions
    limits: Limits
    brush_limits: Limits
    brush_png: bytes = b""
    ids: Path | None = None
    people: Sequence[int] = ()
    with_thumbnail: bool = False
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class VariantFile:
    """A rendering in a file, with its size in pixels. The caller must delete the file.

    timings_ms: the time of each step, in milliseconds.
    thumbnail: the file of the thumbnail, if it was requested.
    """

    path: Path
    content_type: str
    extension: str
    width: int
    height: int
    timings_ms: dict[str, float]
    thumbnail: VariantFile | None = None


def variant_write(wanted: VariantInput, folder: Path) -> VariantFile:
    """Render `wanted` into a new file in `folder`, so that the calling process needs no memory for the pictures.

    Raise InvalidParameter for a brush that is not a PNG or is too large. Raise ImageError if the source and the alpha
    differ in size.
    """
    result = render_variant(
        wanted.source.read_bytes(),
        edited_alpha(wanted),
        wanted.options,
        wanted.limits,
        for_screen=wanted.size is not None and not wanted.with_thumbnail,
    )
    thumbnail = _written(result.thumbnail, folder, result.timings_ms) if wanted.with_thumbnail else None
    return replace(_written(_first(result.outputs), folder, result.timings_ms), thumbnail=thumbnail)


def _written(rendered: Rendered, folder: Path, timings_ms: dict[str, float]) -> VariantFile:
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=rendered.extension)
    with os.fdopen(descriptor, "wb") as file:
        file.write(rendered.data)
    size = (rendered.width, rendered.height)
    return VariantFile(Path(name), rendered.content_type, rendered.extension, *size, timings_ms)


def edited_alpha(wanted: VariantInput) -> bytes:
    """Return the stored alpha as PNG: limited to the chosen people, resized to `size`, and changed by the brush.

    A step is skipped if `wanted` does not request it.
    """
    people = tuple(wanted.people)
    if wanted.size is None:
        alpha_png = _people_alpha(wanted.alpha, wanted.ids, people)
    else:
        written_ns = tuple(file.stat().st_mtime_ns for file in (wanted.alpha, wanted.ids) if file is not None)
        alpha_png = _small_alpha(wanted.alpha, wanted.ids, people, wanted.size, written_ns)
    if wanted.brush_png:
        alpha_png = brushed(alpha_png, wanted.brush_png, wanted.brush_limits)
    return alpha_png


def _people_alpha(alpha: Path, ids: Path | None, people: tuple[int, ...]) -> bytes:
    alpha_png = alpha.read_bytes()
    return alpha_png if ids is None else only_people(alpha_png, ids.read_bytes(), people)


@lru_cache(maxsize=_SMALL_ALPHAS)
def _small_alpha(
    alpha: Path, ids: Path | None, people: tuple[int, ...], size: tuple[int, int], written_ns: tuple[int, ...]
) -> bytes:
    """Return the alpha as PNG, limited to the chosen people, in the given size (width, height). Results are cached.

    written_ns: the modification times of the files in nanoseconds. They are part of the cache's key, so that changed
    files are read again.
    """
    return resized(_people_alpha(alpha, ids, people), size)


def resized(alpha_png: bytes, size: tuple[int, int]) -> bytes:
    """Return a stored alpha resized to `size` (width, height), as PNG with the same texts."""
    small = cv2.resize(read_alpha(alpha_png), size, interpolation=cv2.INTER_AREA)
    return encode_alpha(quantize(small), texts=read_texts(alpha_png))


def brushed(alpha_png: bytes, brush_png: bytes, limits: Limits) -> bytes:
    """Return a stored alpha changed by a brush picture, as PNG.

    Brush values below 128 move alpha towards 0 (erase), and values above 128 move it towards 1 (restore). The change is
    linear in the brush value.

    brush_png: a gray picture of any size. It is resized to the alpha's size.

    Raise InvalidParameter for a brush that exceeds `limits` or is not a PNG.
    """
    alpha = read_alpha(alpha_png)
    values = _brush_values(brush_png, limits)
    if values.shape != alpha.shape:
        values = cv2.resize(values, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR)
    brush = values.astype(np.float32) / 255
    middle = BRUSH_KEEPS / 255
    restore = np.clip((brush - middle) / (1 - middle), 0, 1)
    erase = np.clip((middle - brush) / middle, 0, 1)
    edited = (alpha + (1 - alpha) * restore) * (1 - erase)
    return encode_alpha(quantize(edited.astype(np.float32)), texts=read_texts(alpha_png))


def only_people(alpha_png: bytes, ids_png: bytes, people: Sequence[int]) -> bytes:
    """Return a stored alpha, as PNG, that is set to 0 where the map of person ids has none of the ids in `people`.

    ids_png: the map, an 8-bit gray PNG.

    Raise ImageUnreadable if the map cannot be read.
    """
    ids = cv2.imdecode(np.frombuffer(ids_png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if ids is None:
        raise ImageUnreadable("The mask of this picture cannot be read.")
    kept = np.isin(ids, list(people)).astype(np.float32)
    # Half a pixel of softness, so that the border between a kept and a removed person has no visible steps.
    alpha = read_alpha(alpha_png) * cv2.GaussianBlur(kept, (3, 3), 0)
    return encode_alpha(quantize(alpha), texts=read_texts(alpha_png))


def _brush_values(brush_png: bytes, limits: Limits) -> np.ndarray:
    """Check the brush file and decode it to (H, W) uint8. Raise InvalidParameter for an invalid file."""
    try:
        probe(brush_png, limits)
    except ImageError as error:
        raise InvalidParameter(f"brush: {error.message}", field="brush") from error
    values = cv2.imdecode(np.frombuffer(brush_png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if values is None:
        raise InvalidParameter("brush: not a PNG", field="brush")
    return values


def _first(outputs: Sequence[Rendered]) -> Rendered:
    """Return the cutout, or the first file if there is no cutout."""
    return next((output for output in outputs if output.kind is Output.CUTOUT), outputs[0])
