"""Processing of one picture: decode, find the subject, shape the alpha, decontaminate, crop, compose and encode.

To decontaminate is to remove the background's colour from half-transparent pixels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .beside import beside
from .compose import (
    Rendered,
    crop_box,
    cut,
    grow_box,
    render_cutout,
    render_gray,
    render_picture,
    render_preview,
    render_thumbnail,
)
from .encode import Kept, encode_alpha, quantize, read_alpha, read_quantized, read_texts, to_float
from .engines.base import Engine
from .errors import ImageUnreadable
from .find import Found, find, find_ink
from .foreground import decontaminate
from .formats import exif
from .image import Limits, Picture, decode
from .options import MIN_BOX_SIDE_PX, Box, CutoutOptions, Format, Metadata, Output, Subject
from .people import Person, map_people
from .postprocess import foreground_box, shape_alpha, to_levels
from .refine import refine
from .resizing import enlarge, shrink
from .visualize import draw_ids

__all__ = ["CutoutResult", "Person", "Rendered", "cut_out", "read_alpha", "render_variant"]

BOX_MARGIN = 0.04  # share of a box's longer side: hair may extend slightly out of a drawn box
UNCERTAINTY_SIDE_PX = 320
DRAFT_SIDE_PX = 1024  # about the size of the editor's stage on a desktop screen
NOTHING_FOUND = "nothing: no subject was found"
NOTHING_LEFT = "nothing: threshold and erosion removed the whole subject"
SUREST_SHARE = 0.005  # share of a picture: smaller than nearly any subject
NOTHING_SURE = 0.6  # the uncertainty of a picture in which nothing was found
# Text keys in the stored alpha's PNG, which variants read: the subject, and the boxes searched for ink.
SUBJECT_TEXT = "keyline-subject"
BOXES_TEXT = "keyline-boxes"
PAPER = (255, 160)  # levels: white, and a gray for pictures that are nearly white
_NEARLY_WHITE = 224


@dataclass(frozen=True, slots=True, eq=False)
class CutoutResult:
    """The result for one picture.

    outputs: the files that the options request.
    alpha: the model's full-size alpha before the threshold, as a 16-bit gray PNG.
    thumbnail: the small cutout.
    preview: the source in screen size; None for variants (renderings with other options).
    width, height: the source's size in pixels, after the EXIF rotation.
    foreground: the box around the visible subject, in pixels; None if no subject is visible.
    subject: the kind of subject.
    instances: the separate people.
    uncertainty: the result of `uncertainty_of`.
    notes: sentences for the user.
    timings_ms: the times of the steps `decode`, `model`, `post` and `encode`, in milliseconds.
    """

    outputs: tuple[Rendered, ...]
    alpha: Rendered
    thumbnail: Rendered
    width: int
    height: int
    foreground: Box | None
    subject: Subject
    instances: tuple[Person, ...]
    uncertainty: float
    notes: tuple[str, ...]
    timings_ms: dict[str, float]
    preview: Rendered | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Matted:
    """A picture with its final alpha.

    alpha: (H, W) uint16.
    stored: the future with the PNG of the alpha.
    ids, people: the results of `map_people`.
    subject, colors, notes: as in Found.
    """

    picture: Picture
    alpha: np.ndarray
    stored: Future[bytes]
    subject: Subject
    colors: np.ndarray | None = None
    ids: np.ndarray | None = None
    people: tuple[Person, ...] = ()
    notes: tuple[str, ...] = ()


def cut_out(
    data: bytes,
    options: CutoutOptions,
    engine: Engine,
    limits: Limits,
    *,
    on_draft: Callable[[Rendered], None] | None = None,
) -> CutoutResult:
    """Cut the subject out of a picture file.

    data: the file's bytes.
    limits: the limits of accepted pictures.
    on_draft: called with the cutout at screen size (see `draft_of`) before the full-size files are made. None: make no
    draft.

    Raise the ImageErrors of `segmentation.image.decode`, BoxInvalid for a box outside the picture, InvalidParameter if
    the result is too large for its format or the model does not take points, and InferenceFailed when the model fails.
    """
    timings_ms: dict[str, float] = {}
    with _timed(timings_ms, "decode"):
        picture = decode(data, limits)
    with _timed(timings_ms, "model"):
        found = find(on_paper(picture), options, engine, min_box_side_px=limits.min_box_side_px)
    with _timed(timings_ms, "post"):
        draft = None if on_draft is None else draft_of(found, picture, options)
        if on_draft is not None and draft is not None:
            on_draft(draft)
        # Outputs that need only the source or the alpha are encoded while the colours are computed.
        preview = beside(render_preview, picture.rgb, None if picture.alpha is None else to_levels(picture.alpha))
        alpha = full_size_alpha(found, picture, options)
        stored = beside(lambda: encode_alpha(alpha, texts=_texts(found), kept=Kept(picture.probe.resolution)))
        ids, people = (None, ()) if found.instances is None else map_people(found.instances, to_float(alpha))
    matted = _Matted(picture, alpha, stored, found.subject, found.colors, ids, people, found.notes)
    result = _render(matted, options, timings_ms)
    with _timed(timings_ms, "encode"):
        return replace(result, preview=preview.result())


def draft_of(found: Found, picture: Picture, options: CutoutOptions) -> Rendered | None:
    """Return the draft of a cutout: a WebP with alpha whose longer side has at most DRAFT_SIDE_PX pixels.

    Return None if a side of the draft would be shorter than MIN_BOX_SIDE_PX.

    found: the subject that was found in `picture`.
    options: the options of the cutout. `crop`, `background` and `format` have no effect, because the editor shows the
    whole picture on its own background.
    """
    height, width = picture.rgb.shape[:2]
    scale = min(1.0, DRAFT_SIDE_PX / max(height, width))
    size = round(height * scale), round(width * scale)
    if min(size) < MIN_BOX_SIDE_PX:
        return None
    small = replace(
        picture,
        rgb=shrink(picture.rgb, *size, exact=False),
        alpha=None if picture.alpha is None else shrink(picture.alpha, *size),
    )
    alpha = found.alpha if found.alpha.size <= size[0] * size[1] else shrink(found.alpha, *size)
    colors = None if found.colors is None else shrink(found.colors, *size, exact=False)
    boxes = tuple(_scaled(box, scale, size) for box in found.boxes)
    shown = replace(
        options,
        erosion=round(options.erosion * scale),
        crop=False,
        background=None,
        format=Format.WEBP,
        metadata=Metadata.STRIP,
        outputs=(Output.CUTOUT,),
    )
    full = full_size_alpha(replace(found, alpha=alpha, boxes=boxes), small, shown)
    stored: Future[bytes] = Future()
    stored.set_result(b"")
    return _render(_Matted(small, full, stored, found.subject, colors), shown, {}, for_screen=True).outputs[0]


def _scaled(box: Box, scale: float, size: tuple[int, int]) -> Box:
    """Return a box on a picture that is reduced to `size`, (height, width)."""
    left = min(int(box.left * scale), size[1] - MIN_BOX_SIDE_PX)
    top = min(int(box.top * scale), size[0] - MIN_BOX_SIDE_PX)
    right, bottom = round(box.right * scale), round(box.bottom * scale)
    return Box(left, top, max(left + MIN_BOX_SIDE_PX, right), max(top + MIN_BOX_SIDE_PX, bottom))


def render_variant(
    data: bytes, alpha_png: bytes, options: CutoutOptions, limits: Limits, *, for_screen: bool = False
) -> CutoutResult:
    """Render a picture with other options from the alpha that `cut_out` stored, without a model.

    The options of the model (method, boxes, subject, refine) have no effect. Separate people are treated as one
    subject.

    data: the file's bytes.
    alpha_png: the stored alpha.
    for_screen: render in a third of the time, for display only. WebP gets a lossy alpha, and no separate thumbnail is
    made: the first file is the thumbnail.

    Raise the ImageErrors of `segmentation.image.decode`, ImageUnreadable if the alpha and the picture differ in size,
    and InvalidParameter if the result is too large for its format.
    """
    timings_ms: dict[str, float] = {"model": 0.0}
    with _timed(timings_ms, "decode"):
        picture = decode(data, limits)
        alpha = read_quantized(alpha_png)
    if alpha.shape != picture.rgb.shape[:2]:
        raise ImageUnreadable("The stored alpha belongs to a picture of another size.")
    with _timed(timings_ms, "post"):
        texts = read_texts(alpha_png)
        subject = Subject(texts.get(SUBJECT_TEXT, Subject.OBJECT))
        boxes = tuple(Box.parse(text) for text in texts.get(BOXES_TEXT, "").split(";") if text)
        colors = find_ink(on_paper(picture), boxes).colors if subject is Subject.STAMP else None
    stored: Future[bytes] = Future()
    stored.set_result(alpha_png)
    return _render(_Matted(picture, alpha, stored, subject, colors), options, timings_ms, for_screen=for_screen)


def on_paper(picture: Picture) -> np.ndarray:
    """Return the picture on an opaque background, (H, W, 3) uint8.

    The background hides the colours of transparent pixels. It is white, or gray if the picture itself is nearly white.
    """
    if picture.alpha is None:
        return picture.rgb
    opaque = cv2.convertScaleAbs(picture.alpha, alpha=255)
    brightness = cv2.mean(cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY), mask=(opaque > 127).view(np.uint8))[0]
    paper = PAPER[brightness > _NEARLY_WHITE]
    shares = cv2.merge([opaque] * 3)
    ground = cv2.bitwise_not(shares)
    return cv2.add(
        cv2.multiply(picture.rgb, shares, scale=1 / 255),
        cv2.multiply(ground, np.full_like(ground, paper), scale=1 / 255),
    )


def _missing(matted: _Matted, foreground: Box | None) -> tuple[str, ...]:
    """Return the note that explains why a cutout is empty.

    Return an empty tuple if the cutout is not empty or there already is a note.
    """
    if foreground or matted.notes:
        return ()
    return (NOTHING_LEFT,) if foreground_box(matted.alpha) else (NOTHING_FOUND,)


def _texts(found: Found) -> dict[str, str]:
    texts = {SUBJECT_TEXT: str(found.subject)}
    if found.subject is Subject.STAMP and found.boxes:
        texts[BOXES_TEXT] = ";".join(f"{box.left},{box.top},{box.right},{box.bottom}" for box in found.boxes)
    return texts


def full_size_alpha(found: Found, picture: Picture, options: CutoutOptions) -> np.ndarray:
    """Return the alpha at the picture's size, (H, W) quantised uint16.

    The alpha of `found` is enlarged, set to 0 outside the boxes, and multiplied by the alpha of the picture file.
    """
    height, width = picture.rgb.shape[:2]
    small = np.ascontiguousarray(found.alpha, np.float32)
    alpha = refine(small, on_paper(picture)) if options.refine else quantize(enlarge(small, height, width))
    if found.boxes:
        allowed = np.zeros((height, width), np.uint8)
        for box in found.boxes:
            cut(allowed, grow_box(box, BOX_MARGIN).clipped(width, height))[:] = 1
        alpha = cv2.bitwise_and(alpha, alpha, mask=allowed)
    return alpha if picture.alpha is None else quantize(to_float(alpha) * picture.alpha)


def _render(
    matted: _Matted, options: CutoutOptions, timings_ms: dict[str, float], *, for_screen: bool = False
) -> CutoutResult:
    """Render all files of a result.

    They are rendered from the quantised alpha, which is also stored. Therefore a variant that is rendered from the
    stored alpha with the same options is identical to the first result.

    for_screen: as in `render_variant`.
    """
    rgb, kept = matted.picture.rgb, Kept(matted.picture.probe.resolution)
    height, width = matted.alpha.shape
    with _timed(timings_ms, "post"):
        shown = shape_alpha(matted.alpha, options)
        foreground = foreground_box(shown)
        frame = crop_box(foreground if options.crop else None, options.crop_margin, width, height)
        clean = _colors(matted, shown, options)
    with _timed(timings_ms, "encode"):
        thumbnail = None if for_screen else beside(render_thumbnail, cut(clean, frame), cut(shown, frame))
        files = {
            Output.CUTOUT: lambda: render_cutout(
                cut(clean, frame),
                cut(shown, frame),
                options,
                kept=_kept(matted.picture, options),
                is_small=for_screen,
            ),
            # A map of people must have the source's size, so it is never cropped.
            Output.MASK: lambda: render_gray(
                Output.MASK, cut(shown, frame) if matted.ids is None else matted.ids, kept=kept
            ),
            Output.ALPHA: lambda: Rendered(Output.ALPHA, matted.stored.result(), "image/png", ".png", width, height),
            Output.VISUALIZATION: lambda: render_picture(
                Output.VISUALIZATION, _drawn(rgb, shown, matted.ids), kept=kept
            ),
        }
        outputs = tuple(files[kind]() for kind in options.outputs)
        stored = files[Output.ALPHA]()
        return CutoutResult(
            outputs=outputs,
            alpha=stored,
            thumbnail=outputs[0] if thumbnail is None else thumbnail.result(),
            width=width,
            height=height,
            foreground=foreground,
            subject=matted.subject,
            instances=matted.people,
            uncertainty=uncertainty_of(matted.alpha),
            notes=(*matted.picture.probe.notes, *matted.notes, *_missing(matted, foreground)),
            timings_ms=timings_ms,
        )


def _kept(picture: Picture, options: CutoutOptions) -> Kept:
    """Return the metadata of the source that must be written into the cutout, as the options require."""
    if options.metadata is Metadata.STRIP:
        return Kept(picture.probe.resolution)
    return Kept(picture.probe.resolution, exif.kept(picture.exif, gps=options.metadata is Metadata.KEEP_GPS))


def _colors(matted: _Matted, shown: np.ndarray, options: CutoutOptions) -> np.ndarray:
    """Return the cutout's colours: the colours of the ink, the decontaminated colours, or the photo's colours."""
    if matted.colors is not None:
        return matted.colors
    picture = matted.picture
    if not options.decontaminate:
        return picture.rgb
    # The model's alpha describes how the photo mixed its colours; the shaped alpha does not.
    # The file's own transparency is not part of that mixture, so it is divided out.
    alpha = matted.alpha
    if picture.alpha is not None:
        mixed = to_float(alpha)
        alpha = quantize(np.divide(mixed, picture.alpha, out=np.zeros_like(mixed), where=picture.alpha > 0))
        shown = np.where(picture.alpha > 0, shown, 0)
    return decontaminate(picture.rgb, alpha, shown)


def _drawn(rgb: np.ndarray, shown: np.ndarray, ids: np.ndarray | None) -> np.ndarray:
    """Return the photo with the people, or the subject, marked in colour.

    shown: the visible alpha, (H, W) uint8. If there is no map of people, the pixels above 127 are marked.
    ids: the map of people, (H, W) uint8, or None.
    """
    return draw_ids(rgb, (shown > 127).view(np.uint8) if ids is None else ids)


def uncertainty_of(alpha: np.ndarray, *, subject: np.ndarray | None = None) -> float:
    """Return how uncertain a matte is, 0..1: 0 if every alpha is 0 or 1, 1 if every alpha is 0.5.

    alpha: (H, W), float32 or quantised uint16.
    subject: the part (h, w) of a float32 alpha that is known to contain the subject, or None.

    The result is the larger of two numbers. Both are measured on an alpha that is averaged down to a longer side of 320
    pixels, so that small and large pictures are comparable.

    The first number is the square root of the mean of 4 a (1 - a). It says how much of alpha is undecided. The second
    number says how little of alpha is certain. It is NOTHING_SURE times the difference between 1 and the alpha that
    only half a per cent of the pixels exceed. For a picture without a subject it is NOTHING_SURE. If `subject` is
    given, the second number is measured there, because a small subject does not fill half a per cent of the picture.

    docs/benchmarks.md shows how much of the total error is in pictures with high values.
    """
    height, width = alpha.shape
    scale = min(1.0, UNCERTAINTY_SIDE_PX / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = shrink(alpha, *size).ravel()
    if small.dtype == np.uint16:
        small = to_float(small)
    undecided = float(np.sqrt(max(0.0, 4 * float(np.mean(small * (1 - small))))))
    searched = small if subject is None else subject.ravel()
    place = int((1 - SUREST_SHARE) * (searched.size - 1))
    surest = float(np.partition(searched, place)[place])
    return min(1.0, max(undecided, NOTHING_SURE * (1 - surest)))


@contextmanager
def _timed(timings_ms: dict[str, float], stage: str) -> Iterator[None]:
    """Add the time that the block takes, in milliseconds, to timings_ms[stage]."""
    start_s = time.perf_counter()
    yield
    timings_ms[stage] = timings_ms.get(stage, 0.0) + (time.perf_counter() - start_s) * 1000
