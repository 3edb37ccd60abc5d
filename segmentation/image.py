"""Check an untrusted picture file, and decode it upright, in sRGB.

The web process calls `probe` to accept or refuse a file, the worker calls `decode` to read it. Free of torch.
The order protects the process: limit the bytes, sniff the format, limit the pixels given in the header, then decode.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from .color import require_range, to_srgb
from .errors import ImageDimensions, ImageError, ImageMissing, ImageTooLarge, ImageUnreadable
from .jpeg import check_structure
from .options import MAX_COORDINATE_PX, MIN_BOX_SIDE_PX
from .sniff import FORMATS, HEAD_BYTES, describe, sniff

ALL = frozenset(FORMATS)

_ORIENTATION_TAG = 0x0112
# Only these plugins see the bytes: no file can reach Ghostscript or a rarely used parser.
_PLUGINS = {name: (name.upper(),) for name in FORMATS} | {"heic": ("HEIF",), "jpeg": ("JPEG", "MPO")}
_NAMES = {"webp": "WebP"} | {name: name.upper() for name in FORMATS if name != "webp"}
_TURNS = {  # EXIF 2.3, tag Orientation: the transform that makes the stored pixels upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDES_SWAPPED = (5, 6, 7, 8)

# Pillow's own pixel limit still raises; its warning below that limit adds nothing to Limits.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Limits:
    """Set what is accepted: bytes of the file, pixels (width x height), pixels of each side of it and of a box."""

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    min_side_px: int = 1
    max_side_px: int | None = MAX_COORDINATE_PX
    formats: frozenset[str] = ALL
    min_box_side_px: int = MIN_BOX_SIDE_PX


@dataclass(frozen=True, slots=True)
class Probe:
    """Describe a picture that decodes: `width` and `height` upright, in pixels, `bytes` of the file.

    notes: what was changed or ignored while reading, such as `icc: converted to sRGB`.
    """

    format: str
    width: int
    height: int
    bytes: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Hold a decoded picture: rgb (H, W, 3) uint8 sRGB, upright; alpha (H, W) float32 0..1, None when fully opaque."""

    rgb: np.ndarray
    alpha: np.ndarray | None
    probe: Probe


def probe(source: bytes | Path | IO[bytes], limits: Limits) -> Probe:
    """Check that a file decodes, without keeping its pixels.

    Raises ImageMissing (empty), ImageTooLarge (bytes), ImageDimensions (pixels, sides) or ImageUnreadable, each with
    a message that names the reason. Notes on colour come only from `decode`: the pixels are not converted here.
    """
    data = _read(source, limits)
    name = _accepted_format(data, limits)
    with _refusing(name), _open(data, name, limits) as image:
        size = image.size
        if name == "jpeg" and image.mode in ("RGB", "L"):
            # Entropy decoding still reads the whole file and finds truncation; only the inverse transform is cheaper.
            image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8)))
        notes = _frame_notes(image, name)
        turn, orientation = _load(image, name, limits)
        require_range(image)
    width, height = size[::-1] if turn in _SIDES_SWAPPED else size
    return Probe(name, width, height, len(data), notes + _orientation_notes(orientation))


def pixels_of(data: bytes, limits: Limits) -> int:
    """Return width x height by the header, with nothing decoded. Raises what `probe` raises for the file's head."""
    data = _read(data, limits)
    name = _accepted_format(data, limits)
    with _refusing(name), _open(data, name, limits) as image:
        return image.width * image.height


def decode(data: bytes, limits: Limits) -> Picture:
    """Decode a file to its first frame, upright, in sRGB. Raises what `probe` raises."""
    data = _read(data, limits)
    name = _accepted_format(data, limits)
    with _refusing(name), _open(data, name, limits) as image:
        notes = _frame_notes(image, name)
        turn, orientation = _load(image, name, limits)
    if turn in _TURNS:
        image = image.transpose(_TURNS[turn])
    colors = to_srgb(image)
    notes += _orientation_notes(orientation) + colors.notes
    return Picture(colors.rgb, colors.alpha, Probe(name, image.width, image.height, len(data), notes))


def _read(source: bytes | Path | IO[bytes], limits: Limits) -> bytes:
    """Read at most one byte more than allowed, without trusting the size of a path or stream."""
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
    accepted = ", ".join(_NAMES[name] for name in FORMATS if name in limits.formats)
    if name is None:
        raise ImageUnreadable(f"The file is {describe(data[:HEAD_BYTES])}, not a picture. Send {accepted}.")
    if name not in limits.formats:
        raise ImageUnreadable(f"{_NAMES[name]} pictures are not accepted here. Send {accepted}.")
    return name


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Raise ImageUnreadable for any error of Pillow's parsers.

    They raise SyntaxError, struct.error, KeyError, zlib.error and others for a damaged file, hence the broad `except`.
    """
    try:
        yield
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageDimensions("The picture has more pixels than can be decoded.") from None
    except Exception as error:
        raise ImageUnreadable(f"The {_NAMES[name]} file {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    words = str(error).lower()
    if isinstance(error, EOFError) or "truncated" in words or "end of file" in words or "premature" in words:
        return "is cut short"
    if "too large" in words or "too long" in words or isinstance(error, MemoryError):
        return "holds a block that unpacks to far more than a picture needs"
    return "is damaged and cannot be decoded"


def _open(data: bytes, name: str, limits: Limits) -> Image.Image:
    """Parse the header and check the size before any pixel is decoded."""
    if name == "heic":
        _register_heif()
    if name == "jpeg":
        check_structure(data)
    image = Image.open(io.BytesIO(data), formats=_PLUGINS[name])
    _check_size(*image.size, limits)
    return image


@cache
def _register_heif() -> None:
    # Imported on the first HEIC only: the library loads a video decoder.
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _check_size(width: int, height: int, limits: Limits) -> None:
    size = f"{width} x {height}"
    if width * height > limits.max_pixels:
        most = f"{limits.max_pixels / 1e6:.4g} million"
        raise ImageDimensions(f"The picture has {size} pixels; at most {most} are accepted.")
    if min(width, height) < limits.min_side_px:
        raise ImageDimensions(f"The picture has {size} pixels; each side needs at least {limits.min_side_px}.")
    if limits.max_side_px is not None and max(width, height) > limits.max_side_px:
        raise ImageDimensions(f"The picture has {size} pixels; each side may have at most {limits.max_side_px}.")


def _load(image: Image.Image, name: str, limits: Limits) -> tuple[int, int]:
    """Decode the first frame; return the EXIF orientation still to apply, and the one given in the file.

    They differ where the decoder has already applied it: always for HEIC, and for TIFF inside Pillow.
    """
    stored = image.tag_v2.get(_ORIENTATION_TAG, 1) if isinstance(image, TiffImageFile) else 1
    _drop_xmp(image)
    image.load()
    _drop_xmp(image)  # a PNG may hold XMP after the pixels
    if name == "heic":  # the size of the coded picture may differ from the header's
        _check_size(*image.size, limits)
        return 1, image.info.get("original_orientation") or 1
    try:
        turn = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # broken metadata does not refuse a good picture
        turn = 1
    turn = turn if turn in _TURNS else 1
    return turn, max(turn, stored if stored in _TURNS else 1)


def _drop_xmp(image: Image.Image) -> None:
    """Drop the XMP: Pillow takes an orientation from it when EXIF has none, browsers do not."""
    for name in ("xmp", "XML:com.adobe.xmp", "Raw profile type xmp"):
        image.info.pop(name, None)


def _frame_notes(image: Image.Image, name: str) -> tuple[str, ...]:
    """Return the note that only the first frame is used. Frames of GIF and TIFF are not counted: it takes long."""
    if name == "jpeg" or not getattr(image, "is_animated", False):
        return ()
    if name == "tiff":
        return ("multi-page: first page used",)
    if name == "heic":
        return ("several pictures: the main one used",)
    if name == "gif":
        return ("animated: first frame used",)
    return (f"animated: first of {getattr(image, 'n_frames', 2)} frames used",)


def _orientation_notes(orientation: int) -> tuple[str, ...]:
    return () if orientation == 1 else (f"rotated: EXIF orientation {orientation}",)
