"""Check of an untrusted picture file, and its decoding to an sRGB picture with the EXIF rotation applied.

The web process calls `probe` to accept or reject a file. The worker calls `decode` to read it. This module does not
import torch. To protect the process, the steps are: limit the bytes, detect the format, limit the pixels that the
header states, and only then decode.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from PIL import Image

from segmentation.color import to_srgb
from segmentation.errors import ImageDimensions, ImageError, ImageMissing, ImageTooLarge, ImageUnreadable
from segmentation.formats import camera_raw
from segmentation.formats.bmp import OpenedBmp
from segmentation.formats.gif import OpenedGif
from segmentation.formats.heif import OpenedHeif
from segmentation.formats.jpeg import OpenedJpeg
from segmentation.formats.jpeg2000 import OpenedJpeg2000
from segmentation.formats.jpegxl import OpenedJpegXl
from segmentation.formats.opened import Header, Opened
from segmentation.formats.png import OpenedPng
from segmentation.formats.sniff import FORMATS, HEAD_BYTES, NAMES, describe, sniff
from segmentation.formats.tiff import OpenedTiff
from segmentation.formats.webp import OpenedWebp
from segmentation.options import MAX_COORDINATE_PX, MIN_BOX_SIDE_PX

ALL = frozenset(FORMATS)

_OPENERS: dict[str, Callable[[bytes], Opened]] = {
    "jpeg": OpenedJpeg,
    "png": OpenedPng,
    "webp": OpenedWebp,
    "heic": partial(OpenedHeif, name="heic"),
    "avif": partial(OpenedHeif, name="avif"),
    "tiff": OpenedTiff,
    "jxl": OpenedJpegXl,
    "jp2": OpenedJpeg2000,
    "bmp": OpenedBmp,
    "gif": OpenedGif,
}
_SIDES_SWAPPED = (5, 6, 7, 8)

# Pillow's own pixel limit still raises; its warning below that limit is redundant with Limits.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of accepted pictures.

    max_bytes: the largest file in bytes.
    max_pixels: the largest product of width and height.
    min_side_px, max_side_px: the limits of each side; a max_side_px of None means no limit.
    formats: the accepted formats, a subset of FORMATS.
    min_box_side_px: the least length of a box's side, in pixels.
    """

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    min_side_px: int = 1
    max_side_px: int | None = MAX_COORDINATE_PX
    formats: frozenset[str] = ALL
    min_box_side_px: int = MIN_BOX_SIDE_PX


@dataclass(frozen=True, slots=True)
class Probe:
    """The properties of a valid picture.

    format: a name of FORMATS.
    width, height: the size in pixels, after the EXIF rotation.
    bytes: the file's size.
    notes: sentences about data that was converted or ignored during reading, such as `icc: converted to sRGB`.
    resolution: horizontal and vertical pixels per inch, after the EXIF rotation; None if the file does not contain it.
    """

    format: str
    width: int
    height: int
    bytes: int
    notes: tuple[str, ...] = ()
    resolution: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture.

    rgb: (H, W, 3) uint8 sRGB, with the EXIF rotation applied.
    alpha: (H, W) float32 0..1, or None if the picture is opaque.
    probe: the file's properties.
    exif: the EXIF data as stored in the file, for `formats.exif.kept`.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    probe: Probe
    exif: bytes = b""


def probe(source: bytes | Path | IO[bytes], limits: Limits) -> Probe:
    """Check that a file can be decoded, and return its properties.

    source: the file's bytes, its path, or an open file.

    Raise ImageMissing for an empty file, ImageTooLarge for too many bytes, ImageDimensions for too many pixels or for a
    side that is too short or too long, and ImageUnreadable for any other fault of the file. The message states the
    reason. The result has no notes about colour conversion, because the pixels are not converted.
    """
    data = _read(source, limits)
    name = _accepted_format(data, limits)
    with _refusing(name):
        opened = _opened(name, data, limits)
        opened.prove()
        _check_size(opened.header.width, opened.header.height, limits)
    return _probe(name, opened.header, len(data), ())


def probe_header(source: bytes | Path | IO[bytes], limits: Limits) -> Probe:
    """Check a file's header and return the same properties as `probe`, without decoding the pixels.

    Raise the same errors as `probe`, but do not detect damaged pixels.
    """
    data = _read(source, limits)
    name = _accepted_format(data, limits)
    with _refusing(name):
        opened = _opened(name, data, limits)
    return _probe(name, opened.header, len(data), ())


def pixels_of(source: bytes | Path, limits: Limits) -> int:
    """Return width x height from a file's header, without decoding. Raise the errors of `probe_header`."""
    found = probe_header(source, limits)
    return found.width * found.height


def decode(data: bytes, limits: Limits) -> Picture:
    """Return a file's first frame in sRGB, with the EXIF rotation applied. Raise the errors of `probe`."""
    data = _read(data, limits)
    name = _accepted_format(data, limits)
    with _refusing(name):
        opened = _opened(name, data, limits)
        samples = opened.samples()
        height, width = samples.pixels.shape[:2]
        _check_size(width, height, limits)  # a file may contain another size than its header states
        if (width, height) != (opened.header.width, opened.header.height):
            raise ValueError("size")
        colors = to_srgb(samples)
    turn = opened.header.turn
    rgb = _upright(colors.rgb, turn)
    alpha = None if colors.alpha is None else _upright(colors.alpha, turn)
    return Picture(rgb, alpha, _probe(name, opened.header, len(data), colors.notes), opened.header.exif)


def _read(source: bytes | Path | IO[bytes], limits: Limits) -> bytes:
    """Return the file's bytes. Raise ImageMissing for an empty file, and ImageTooLarge for more than `max_bytes` bytes.

    At most one byte more than allowed is read. The size that a path or stream reports is not trusted.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as stream:
            data = stream.read(limits.max_bytes + 1)
    else:
        data = source.read(limits.max_bytes + 1)
    if not data:
        raise ImageMissing("The file is empty.")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"The file is larger than {limits.max_bytes / 2**20:.4g} MB.")
    return data


def _accepted_format(data: bytes, limits: Limits) -> str:
    name = sniff(data[:HEAD_BYTES])
    accepted = ", ".join(NAMES[name] for name in FORMATS if name in limits.formats)
    if name is None and camera_raw.name_of(data):
        raise camera_raw.refusal(data)
    if name is None:
        kind = describe(data[:HEAD_BYTES])
        fault = "which is not supported" if kind.endswith(" picture") else "not a picture"
        raise ImageUnreadable(f"The file is {kind}, {fault}. Send {accepted}.")
    if name not in limits.formats:
        raise ImageUnreadable(f"{NAMES[name]} pictures are not accepted here. Send {accepted}.")
    return name


def _opened(name: str, data: bytes, limits: Limits) -> Opened:
    """Return the file with a parsed header. Raise ImageDimensions if the size in the header exceeds the limits."""
    opened = _OPENERS[name](data)
    _check_size(opened.header.width, opened.header.height, limits)
    return opened


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Convert the errors of parsers and decoders inside the block to ImageUnreadable.

    Damaged files cause SyntaxError, struct.error, KeyError, zlib.error and others, so all exceptions are caught. A
    fault of the machine (disk, memory) is raised unchanged. An OSError with an errno comes from the operating system,
    not from a decoder.
    """
    try:
        yield
    except (ImageError, ImportError):
        raise
    except Image.DecompressionBombError:
        raise ImageDimensions("The picture has more pixels than can be decoded.") from None
    except Exception as error:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno is not None):
            raise
        raise ImageUnreadable(f"The {NAMES[name]} file {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    words = str(error).lower()
    if isinstance(error, EOFError) or "truncated" in words or "end of file" in words or "premature" in words:
        return "is cut short"
    if "too large" in words or "too long" in words:
        return "holds a block that unpacks to far more than a picture needs"
    return "is damaged and cannot be decoded"


def _check_size(width: int, height: int, limits: Limits) -> None:
    size = f"{width} x {height}"
    if width * height > limits.max_pixels:
        most = f"{limits.max_pixels / 1e6:.4g} million"
        raise ImageDimensions(f"The picture has {size} pixels; at most {most} are accepted.")
    if min(width, height) < limits.min_side_px:
        raise ImageDimensions(f"The picture has {size} pixels; each side needs at least {limits.min_side_px}.")
    if limits.max_side_px is not None and max(width, height) > limits.max_side_px:
        raise ImageDimensions(f"The picture has {size} pixels; each side may have at most {limits.max_side_px}.")


def _upright(pixels: np.ndarray, turn: int) -> np.ndarray:
    """Return pixels, (H, W) or (H, W, 3), rotated and mirrored as an EXIF orientation requires.

    turn: the EXIF orientation, 1..8 (EXIF 2.3, tag Orientation).
    """
    if turn in _SIDES_SWAPPED:
        pixels = cv2.transpose(pixels)
    if turn == 1 or turn == 5:
        return pixels
    return cv2.flip(pixels, {2: 1, 6: 1, 3: -1, 7: -1, 4: 0, 8: 0}[turn])


def _probe(name: str, header: Header, size: int, notes: tuple[str, ...]) -> Probe:
    width, height, resolution = header.width, header.height, header.resolution
    if header.turn in _SIDES_SWAPPED:
        width, height = height, width
    if header.turned in _SIDES_SWAPPED and resolution is not None:
        resolution = resolution[::-1]
    turned = () if header.turned == 1 else (f"rotated: EXIF orientation {header.turned}",)
    return Probe(name, width, height, size, header.notes + turned + notes, resolution)
