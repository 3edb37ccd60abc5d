"""Encoders for PNG, JPEG and WebP, and a decoder for stored alphas. The alpha from the model is stored as a PNG.

This module has its own PNG encoder, because the usual libraries compress with zlib, which takes most of their encoding
time. A 1920 x 1080 cutout takes about 60 ms with OpenCV's fastest setting, 120 ms with Pillow's, and 15 ms with this
encoder, which compresses with Intel's ISA-L. Its files are not larger (`make bench` measures this).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from isal import isal_zlib
from PIL import ExifTags, Image

from .errors import ImageUnreadable, InvalidParameter

JPEG_QUALITY = 92
WEBP_QUALITY = 90
MAX_SIDE_PX = {"jpeg": 65_500, "webp": 16_383}  # limits of the two formats


@dataclass(frozen=True, slots=True)
class Kept:
    """Metadata of the source that is written into the result file.

    resolution: horizontal and vertical resolution in pixels per inch, or None.
    exif: EXIF data without the prefix `Exif`. If it is empty, no EXIF data is written.
    """

    resolution: tuple[float, float] | None = None
    exif: bytes = b""


NOTHING_KEPT = Kept()

_METRES_PER_INCH = 0.0254
_JFIF_UNIT, _JFIF_END = 13, 20  # offsets of the density's unit and of the next segment in a file (ITU-T T.871)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> PNG colour type: gray, gray and alpha, RGB, RGBA
_FILTER_UP = 2  # difference to the row above: the best filter that one array subtraction can compute
_SRGB_PERCEPTUAL = b"\0"
_ISAL_LEVEL = 1
_STRIP_BYTES = 1 << 20
_WEBP_METHOD = 2  # a quarter of the default's time for 2 % more bytes; OpenCV does not have this option


def encode_png(
    pixels: np.ndarray,
    alpha: np.ndarray | None = None,
    *,
    texts: Mapping[str, str] | None = None,
    kept: Kept = NOTHING_KEPT,
) -> bytes:
    """Encode a picture as PNG (ISO 15948) and return the file's bytes.

    pixels: the picture, uint8 or uint16: (H, W) gray, or (H, W, channels) with 1 channel (gray), 2 (gray and alpha),
    3 (RGB) or 4 (RGBA).
    alpha: the alpha of an RGB picture, (H, W) uint8, or None. It needs `pixels` of (H, W, 3) uint8.
    texts: keywords and texts, Latin-1, written as tEXt chunks.
    kept: the source's metadata to write.

    If `alpha` is given, the file is RGBA, and pixels with alpha 0 become black. Colours and alpha are joined in strips
    of rows, which needs less memory than `join_alpha`.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    channels += alpha is not None
    depth = pixels.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", width, height, depth, _COLOR_TYPES[channels], 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if channels >= 3:
        chunks.append(_chunk(b"sRGB", _SRGB_PERCEPTUAL))
    if kept.resolution is not None:
        per_metre = [min(round(value / _METRES_PER_INCH), 2**31 - 1) for value in kept.resolution]
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1)))
    if kept.exif:
        chunks.append(_chunk(b"eXIf", kept.exif))
    for keyword, value in (texts or {}).items():
        chunks.append(_chunk(b"tEXt", f"{keyword}\0{value}".encode("latin-1")))
    chunks.append(_chunk(b"IDAT", _deflated(pixels, alpha)))
    chunks.append(_chunk(b"IEND", b""))
    return _SIGNATURE + b"".join(chunks)


def join_alpha(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return colours (H, W, 3) uint8 and alpha (H, W) uint8 joined to RGBA. Pixels with alpha 0 become black.

    If these pixels kept their colours, the removed background could be recovered from the file. The background would
    also take most of the file's bytes.
    """
    rgba = cv2.cvtColor(cv2.bitwise_and(rgb, rgb, mask=alpha), cv2.COLOR_RGB2RGBA)
    return cv2.insertChannel(alpha, rgba, 3)


def _deflated(pixels: np.ndarray, alpha: np.ndarray | None) -> bytes:
    """Return the picture's rows, filtered and compressed as in a PNG.

    The rows are processed in strips, so that memory never contains a filtered copy of the whole picture.
    """
    height = pixels.shape[0]
    strip = max(1, _STRIP_BYTES * height // pixels.nbytes)
    compressor = isal_zlib.compressobj(_ISAL_LEVEL)
    above: np.ndarray | int = 0
    parts = []
    for start in range(0, height, strip):
        rows = pixels[start : start + strip]
        if alpha is not None:
            rows = join_alpha(rows, alpha[start : start + strip])
        if pixels.dtype.itemsize == 2:
            rows = rows.astype(">u2")
        rows = np.ascontiguousarray(rows).view(np.uint8).reshape(rows.shape[0], -1)
        filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = _FILTER_UP
        np.subtract(rows[0], above, out=filtered[0, 1:])
        np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
        above = rows[-1]
        parts.append(compressor.compress(filtered))
    parts.append(compressor.flush())
    return b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", isal_zlib.crc32(body, isal_zlib.crc32(kind)))


def read_texts(png: bytes) -> dict[str, str]:
    """Return the tEXt chunks of a PNG, from keyword to text; chunks after the first IDAT chunk are ignored."""
    texts: dict[str, str] = {}
    place = len(_SIGNATURE)
    while place + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        if kind == b"IDAT":
            break
        if kind == b"tEXt":
            keyword, _, value = png[place + 8 : place + 8 + length].decode("latin-1").partition("\0")
            texts[keyword] = value
        place += length + 12
    return texts


def encode_jpeg(rgb: np.ndarray, quality: int = JPEG_QUALITY, *, kept: Kept = NOTHING_KEPT) -> bytes:
    """Encode a picture, (H, W, 3) uint8 sRGB, as JPEG.

    quality: 0..100.
    kept: the source's metadata to write.

    Raise InvalidParameter for a side longer than MAX_SIDE_PX["jpeg"].
    """
    _check_sides(rgb, "jpeg")
    pixels = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    if data[6:11] != b"JFIF\0":
        return data
    if kept.resolution is not None:
        density = [min(round(value), 65_535) for value in kept.resolution]
        data = data[:_JFIF_UNIT] + struct.pack(">BHH", 1, *density) + data[_JFIF_UNIT + 5 :]
    if not kept.exif:
        return data
    body = b"Exif\0\0" + kept.exif
    return data[:_JFIF_END] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[_JFIF_END:]


def encode_webp(
    pixels: np.ndarray, quality: int = WEBP_QUALITY, *, kept: Kept = NOTHING_KEPT, is_small: bool = False
) -> bytes:
    """Encode a picture, (H, W, 3) or (H, W, 4) uint8 sRGB, as WebP with lossy colours and lossless alpha.

    quality: 0..100.
    kept: the source's metadata to write.
    is_small: encode in a third of the time, with lossy alpha, for thumbnails.

    Raise InvalidParameter for a side longer than MAX_SIDE_PX["webp"].
    """
    _check_sides(pixels, "webp")
    stream = io.BytesIO()
    tags = Image.Exif()
    if kept.exif:
        tags.load(b"Exif\0\0" + kept.exif)
    if kept.resolution is not None:  # WebP has no separate field for it
        tags[ExifTags.Base.XResolution], tags[ExifTags.Base.YResolution] = kept.resolution
        tags[ExifTags.Base.ResolutionUnit] = 2
    exif = tags.tobytes() if len(tags) else b""
    method, alpha_quality = (0, 80) if is_small else (_WEBP_METHOD, 100)
    Image.fromarray(pixels).save(stream, "WEBP", quality=quality, method=method, alpha_quality=alpha_quality, exif=exif)
    return stream.getvalue()


def _check_sides(pixels: np.ndarray, name: str) -> None:
    height, width = pixels.shape[:2]
    if max(height, width) > MAX_SIDE_PX[name]:
        raise InvalidParameter(
            f"format: {name} holds at most {MAX_SIDE_PX[name]} pixels a side, the result is {width} x {height}",
            field="format",
        )


def encode_alpha(alpha: np.ndarray, *, texts: Mapping[str, str] | None = None, kept: Kept = NOTHING_KEPT) -> bytes:
    """Encode a quantised alpha, (H, W) uint16, as a 16-bit gray PNG; `texts` and `kept` are as in `encode_png`."""
    return encode_png(alpha, texts=texts, kept=kept)


def read_alpha(alpha_png: bytes) -> np.ndarray:
    """Decode the PNG of a stored alpha to (H, W) float32 0..1. Raise ImageUnreadable if it is not a gray PNG."""
    return to_float(read_quantized(alpha_png))


def read_quantized(alpha_png: bytes) -> np.ndarray:
    """Decode the PNG of a stored alpha to (H, W) uint16 0..65535. Raise ImageUnreadable if it is not a gray PNG.

    An 8-bit PNG is scaled to the 16-bit range.
    """
    values = cv2.imdecode(np.frombuffer(alpha_png, np.uint8), cv2.IMREAD_UNCHANGED) if alpha_png else None
    if values is None or values.ndim != 2 or values.dtype not in (np.uint8, np.uint16):
        raise ImageUnreadable("The stored alpha is damaged.")
    return values if values.dtype == np.uint16 else values.astype(np.uint16) * 257


def quantize(alpha: np.ndarray) -> np.ndarray:
    """Return an alpha, (H, W) float 0..1, rounded to uint16 0..65535. Alphas are stored with this precision."""
    # Rounds, and clips to the type's range. OpenCV's stubs do not accept a scalar operand.
    return cv2.multiply(alpha, 65535.0, dtype=cv2.CV_16U)  # type: ignore[call-overload]


def to_float(values: np.ndarray) -> np.ndarray:
    """Return an alpha, (H, W) uint8 or uint16, as float32 0..1. For uint16, this is the inverse of `quantize`."""
    return values.astype(np.float32) / np.iinfo(values.dtype).max
