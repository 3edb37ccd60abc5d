"""Render a finished picture with other options from its stored alpha, without a model and without a charge."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from jobs.errors import NotFound
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
from segmentation.encode import encode_alpha, quantize, read_alpha, read_texts
from segmentation.errors import ImageError, InvalidParameter
from segmentation.image import probe
from segmentation.options import CutoutOptions, Method, Output

if TYPE_CHECKING:
    from segmentation.pipeline import CutoutResult, Rendered

BRUSH_KEEPS = 128
MAX_BRUSH_BYTES = 4 * 2**20


def variant_render(
    *,
    actor: Actor,
    image: JobImage,
    options: CutoutOptions,
    brush_png: bytes = b"",
    people: Sequence[int] | None = None,
    for_screen: bool = False,
) -> CutoutResult:
    """Render the picture again, and record it as opened unless the actor submitted it.

    brush_png: a grey PNG of the picture's shape; 0 erases, 255 restores, 128 keeps. people: the ids of an `instances`
    job to keep; the others become background. Raise NotFound when the picture has no result or its files are deleted,
    InvalidParameter for a brush that `brushed` refuses and for `people` of another method. for_screen: render from the
    stored preview where the picture is larger than that, for an answer while a slider moves.
    """
    from segmentation.pipeline import render_variant

    source = artifact_of(image, Artifact.Kind.SOURCE)
    alpha = artifact_of(image, Artifact.Kind.ALPHA)
    if image.status != Status.SUCCEEDED or source is None or alpha is None:
        raise NotFound("This picture has no result to render again.")
    alpha_png = storage.read(alpha.key)
    if people is not None:
        alpha_png = only_people(alpha_png, image, people)
    shown = source
    if for_screen and (preview := _smaller_preview(image)) is not None:
        shown = preview
        alpha_png = resized(alpha_png, preview.width or 0, preview.height or 0)
        scale = (preview.width or 0) / (image.width or 1)
        options = replace(options, erosion=round(options.erosion * scale))
    if brush_png:
        if not for_screen:
            correction_note(image=image)
        alpha_png = brushed(alpha_png, brush_png)
    limits = limits_from_json(image.job.limits)
    result = render_variant(storage.read(shown.key), alpha_png, options, limits)
    download_note(actor=actor, artifact=source)
    return result


def _smaller_preview(image: JobImage) -> Artifact | None:
    """Return the picture's preview, if it has one that is smaller than the picture."""
    preview = artifact_of(image, Artifact.Kind.PREVIEW)
    if preview is None or not preview.width or not image.width or preview.width >= image.width:
        return None
    return preview


def resized(alpha_png: bytes, width: int, height: int) -> bytes:
    """Return a stored alpha at another size, as PNG with the same text keys."""
    small = cv2.resize(read_alpha(alpha_png), (width, height), interpolation=cv2.INTER_AREA)
    return encode_alpha(quantize(small), texts=read_texts(alpha_png))


def brushed(alpha_png: bytes, brush_png: bytes) -> bytes:
    """Apply a brush to a stored alpha and return it as PNG.

    The brush is linear between keeping the alpha (128) and erasing (0, towards 0) or restoring (255, towards 1). Raise
    InvalidParameter for a brush that is not a PNG, or exceeds MAX_BRUSH_BYTES or the pixel limit.
    """
    alpha = read_alpha(alpha_png)
    values = _brush_values(brush_png)
    if values.shape != alpha.shape:
        values = cv2.resize(values, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR)
    brush = values.astype(np.float32) / 255
    middle = BRUSH_KEEPS / 255
    restore = np.clip((brush - middle) / (1 - middle), 0, 1)
    erase = np.clip((middle - brush) / middle, 0, 1)
    edited = (alpha + (1 - alpha) * restore) * (1 - erase)
    return encode_alpha(quantize(edited.astype(np.float32)), texts=read_texts(alpha_png))


def _brush_values(brush_png: bytes) -> np.ndarray:
    """Check the brush's header and decode it to (H, W) uint8; raise InvalidParameter."""
    try:
        probe(brush_png, default_limits(max_bytes=MAX_BRUSH_BYTES, formats=frozenset({"png"})))
    except ImageError as error:
        raise InvalidParameter(f"brush: {error.message}", field="brush") from error
    values = cv2.imdecode(np.frombuffer(brush_png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if values is None:
        raise InvalidParameter("brush: not a PNG", field="brush")
    return values


def only_people(alpha_png: bytes, image: JobImage, people: Sequence[int]) -> bytes:
    """Set the stored alpha to 0 where the id mask of an `instances` job has none of `people`; return it as PNG."""
    stored = artifact_of(image, Artifact.Kind.MASK)
    if image.job.options.get("method") != Method.INSTANCES or stored is None:
        raise InvalidParameter("people: this picture was not cut out by people", field="people")
    ids = cv2.imdecode(np.frombuffer(storage.read(stored.key), np.uint8), cv2.IMREAD_GRAYSCALE)
    if ids is None:
        raise NotFound("The mask of this picture cannot be read.")
    kept = np.isin(ids, list(people)).astype(np.float32)
    # Half a pixel of softness, so that the border between a kept and a dropped person is not a staircase.
    alpha = read_alpha(alpha_png) * cv2.GaussianBlur(kept, (3, 3), 0)
    return encode_alpha(quantize(alpha), texts=read_texts(alpha_png))


def variant_keep(*, image: JobImage, rendered: Rendered) -> Artifact:
    """Store a rendering beside the original result.

    Raise QuotaExceeded when the team's storage is full, StorageFailed, and JobNotFound when the picture was deleted
    meanwhile.
    """
    team = image.job.team
    usage_check(team=team, quota=quota_of(team), pictures=0, new_bytes=len(rendered.data))
    number = uuid.uuid4().hex[:8]
    key = f"teams/{image.job.team_id}/{image.job_id}/{image.position:04d}/variant-{number}{rendered.extension}"
    return artifact_keep(
        image=image,
        kind=Artifact.Kind.VARIANT,
        key=key,
        data=rendered.data,
        content_type=rendered.content_type,
        width=rendered.width,
        height=rendered.height,
    )


def first_output(result: CutoutResult) -> Rendered:
    """Return the cutout, or else the first output."""
    return next((entry for entry in result.outputs if entry.kind is Output.CUTOUT), result.outputs[0])
