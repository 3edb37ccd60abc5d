"""Encoders for the files of a finished picture.

They write the resolution and the colour profile, choose a quality that gives an allowed file size, and write Photoshop
files with layers.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import ExifTags, Image, ImageCms
from psd_tools import PSDImage
from psd_tools.constants import Resource
from psd_tools.psd.image_resources import ImageResource, ResoulutionInfo

from segmentation.encode import MAX_SIDE_PX
from segmentation.errors import InvalidParameter
from segmentation.finish.recipe import FileFormat, OutputFile

CONTENT_TYPES = {
    FileFormat.PNG: ("image/png", "png"),
    FileFormat.JPEG: ("image/jpeg", "jpg"),
    FileFormat.WEBP: ("image/webp", "webp"),
    FileFormat.PSD: ("image/vnd.adobe.photoshop", "psd"),
}
HIGHEST_QUALITY = 100
LEAST_QUALITY = 20  # below this quality the output is refused
_FULL_CHROMA_FROM = 90
_EXIF_DPI, _EXIF_INCH = 72, 2
_PSD_PER_INCH, _PSD_INCHES = 1, 1
_THOROUGH, _QUICK = 4, 0  # effort of the WebP encoder


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """A finished picture as layers of the canvas's size.

    background: the lowest layer, (H, W, 3) uint8; None if the background is transparent.
    shadow: the middle layer, (H, W, 4) uint8, or None.
    subject: the highest layer, (H, W, 4) uint8.

    Colours are not premultiplied by alpha.
    """

    background: np.ndarray | None
    shadow: np.ndarray | None
    subject: np.ndarray


@dataclass(frozen=True, slots=True)
class Written:
    """One encoded file.

    width, height: the picture's size in pixels.
    quality: the encoder's quality; None for PNG and PSD.
    """

    data: bytes
    content_type: str
    extension: str
    width: int
    height: int
    quality: int | None = None


def write_file(pixels: np.ndarray, layers: Layers, output: OutputFile, *, for_screen: bool = False) -> Written:
    """Encode a finished picture, (H, W, 3) or (H, W, 4) uint8 sRGB, in the format of `output`.

    layers: the picture's layers, which are used only for a PSD file.
    for_screen: encode WebP in a quarter of the time. The file is then 50 % larger.

    Raise InvalidParameter if the format does not support the size in pixels, or if the file cannot be made as small as
    `output.max_bytes`.
    """
    height, width = pixels.shape[:2]
    content_type, extension = CONTENT_TYPES[output.format]
    limit = MAX_SIDE_PX.get(output.format)
    if limit and max(width, height) > limit:
        raise InvalidParameter(f"outputs: {output.format} holds at most {limit} pixels a side", field="outputs")
    if output.format is FileFormat.PSD:
        data, quality = _psd(layers, output), None
    elif output.format is FileFormat.PNG:
        data, quality = _saved(pixels, output, "PNG", compress_level=6), None
    else:
        data, quality = _lossy(pixels, output, _QUICK if for_screen else _THOROUGH)
    if output.max_bytes is not None and len(data) > output.max_bytes:
        raise InvalidParameter(
            f"outputs: the {output.format} has {len(data)} bytes, more than the {output.max_bytes} allowed",
            field="outputs",
        )
    return Written(data, content_type, extension, width, height, quality)


def _lossy(pixels: np.ndarray, output: OutputFile, effort: int) -> tuple[bytes, int]:
    """Return the file and its quality: `output.quality`, or the nearest quality whose file size is allowed.

    effort: how much time the WebP encoder spends for a smaller file.
    """
    data = _at_quality(pixels, output, output.quality, effort)
    if output.min_bytes is not None and len(data) < output.min_bytes:
        return _larger(pixels, output, effort, data)
    if output.max_bytes is not None and len(data) > output.max_bytes:
        return _smaller(pixels, output, effort, data)
    return data, output.quality


def _larger(pixels: np.ndarray, output: OutputFile, effort: int, data: bytes) -> tuple[bytes, int]:
    """Increase the quality until the file has at least `min_bytes`. Return the file and its quality.

    Among the qualities above `output.quality`, find the lowest one whose file has at least `min_bytes` and at most
    `max_bytes`, by bisection. If there is none, return the highest one whose file has at most `max_bytes`.

    data: the file at the quality `output.quality`.
    """
    least, most = output.min_bytes or 0, output.max_bytes or math.inf
    best, best_quality = data, output.quality
    low, high = output.quality + 1, HIGHEST_QUALITY
    while low <= high:
        middle = (low + high) // 2
        data = _at_quality(pixels, output, middle, effort)
        is_large_enough = len(data) >= least
        if len(data) <= most and (is_large_enough or len(best) < least):
            best, best_quality = data, middle
        low, high = (low, middle - 1) if is_large_enough else (middle + 1, high)
    return best, best_quality


def _smaller(pixels: np.ndarray, output: OutputFile, effort: int, data: bytes) -> tuple[bytes, int]:
    """Reduce the quality until the file has at most `max_bytes`. Return the file and its quality.

    Among the qualities below `output.quality`, find the highest one whose file has at most `max_bytes`, by bisection.
    If there is none, return the file of the lowest quality.

    data: the file at the quality `output.quality`.
    """
    most = output.max_bytes or 0
    best, best_quality = data, output.quality
    low, high = min(LEAST_QUALITY, output.quality), output.quality - 1
    while low <= high:
        middle = (low + high) // 2
        data = _at_quality(pixels, output, middle, effort)
        if len(data) <= most:
            best, best_quality, low = data, middle, middle + 1
        else:
            high = middle - 1
            if len(best) > most:
                best, best_quality = data, middle
    return best, best_quality


def _at_quality(pixels: np.ndarray, output: OutputFile, quality: int, effort: int) -> bytes:
    if output.format is FileFormat.JPEG:
        subsampling = 0 if quality >= _FULL_CHROMA_FROM else 2
        return _saved(pixels[:, :, :3], output, "JPEG", quality=quality, subsampling=subsampling, optimize=True)
    return _saved(pixels, output, "WEBP", quality=quality, method=effort)


def _saved(pixels: np.ndarray, output: OutputFile, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    profile = {"icc_profile": _srgb_profile()} if output.color_profile == "srgb" else {}
    resolution = _exif_resolution(output.dpi) if kind == "WEBP" else {"dpi": (output.dpi, output.dpi)}
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, kind, **profile, **resolution, **options)
    return stream.getvalue()


def _exif_resolution(dpi: int) -> dict[str, Image.Exif]:
    """Return the keyword argument with which Pillow stores a resolution in a WebP file, as EXIF data.

    Return an empty dict for 72 dpi, the default of EXIF.
    """
    if dpi == _EXIF_DPI:
        return {}
    exif = Image.Exif()
    exif[ExifTags.Base.XResolution] = exif[ExifTags.Base.YResolution] = float(dpi)
    exif[ExifTags.Base.ResolutionUnit] = _EXIF_INCH
    return {"exif": exif}


@cache
def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _psd(layers: Layers, output: OutputFile) -> bytes:
    """Encode background, shadow and subject as layers of a Photoshop file, each cropped to its own box."""
    height, width = layers.subject.shape[:2]
    document = PSDImage.new("RGBA", (width, height))
    for name, pixels in (("Background", layers.background), ("Shadow", layers.shadow), ("Subject", layers.subject)):
        if pixels is None:
            continue
        image = Image.fromarray(pixels).convert("RGBA")
        box = image.getbbox(alpha_only=True)
        if box is not None:
            document.create_pixel_layer(image.crop(box), name=name, left=box[0], top=box[1])
    resources = document.image_resources
    dpi = output.dpi << 16  # a fixed-point number with 16 bits for the fraction
    resolution = ResoulutionInfo(dpi, _PSD_PER_INCH, _PSD_INCHES, dpi, _PSD_PER_INCH, _PSD_INCHES)
    resources[Resource.RESOLUTION_INFO] = ImageResource(key=Resource.RESOLUTION_INFO, data=resolution.tobytes())
    if output.color_profile == "srgb":
        resources[Resource.ICC_PROFILE] = ImageResource(key=Resource.ICC_PROFILE, data=_srgb_profile())
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()
