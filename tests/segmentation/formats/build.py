"""Functions that build picture files of all kinds from one drawn picture with known values.

The picture shows a ball. Its pixel (160, 125) is sRGB (197, 99, 17). For files whose colours must be converted, the
tests expect the values of Chromium's canvas.
"""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import tifffile
from PIL import Image, ImageCms

SPOT = (125, 160)  # row and column of the ball's pixel with a known value
ORANGE = (197, 99, 17)


@cache
def ball(width: int = 320, height: int = 240) -> np.ndarray:
    """Return a drawn orange ball with a leaf on a plain background, (height, width, 3) uint8, with smooth shading."""
    y, x = np.mgrid[:height, :width].astype(float)
    rgb = np.empty((height, width, 3))
    rgb[:] = (226, 232, 236)
    distance = np.hypot(x - width / 2, y - height * 0.52)
    inside = distance < height * 0.35
    shade = 1 - 0.25 * (distance / (height * 0.35)) ** 2 + 0.02 * np.sin(x / 9)
    rgb[inside] = (np.array(ORANGE) * shade[..., None] / shade[height * 125 // 240, width // 2])[inside]
    leaf = ((x - width * 0.58) / (width * 0.09)) ** 2 + ((y - height * 0.16) / (height * 0.05)) ** 2 < 1
    rgb[leaf] = (60, 140, 50)
    return np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)


@cache
def small() -> np.ndarray:
    """Return the picture of the ball at a third of its size, (80, 106, 3) uint8."""
    return np.ascontiguousarray(ball()[::3, ::3][:80, :106])


@cache
def fading(height: int = 80, width: int = 106) -> np.ndarray:
    """Return an alpha, (height, width) uint8, that rises from 0 to 255 from left to right."""
    return np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))


def deep(pixels: np.ndarray) -> np.ndarray:
    """Scale uint8 pixels to the full range of uint16, and return them."""
    return pixels.astype(np.uint16) * 257


def saved(pixels: np.ndarray | Image.Image, name: str, **options: Any) -> bytes:
    """Return pixels or a Pillow image as the bytes of an image file.

    name: Pillow's name of the format. options: the encoder's options.
    """
    stream = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(stream, name, **options)
    return stream.getvalue()


# PNG ------------------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes, *, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png(
    pixels: np.ndarray,
    *chunks: bytes,
    depth: int = 8,
    color_type: int | None = None,
    packed: bytes | None = None,
    after: bytes = chunk(b"IEND", b""),
    pixel_checksum: int | None = None,
) -> bytes:
    """Return the pixels as a PNG file.

    pixels: samples, an array (H, W) or (H, W, channels). chunks: extra chunks before the pixel data. depth: the bits
    per sample; each sample is below 2 ** depth. color_type: PNG's colour type; None derives it from the number of
    channels. packed: the compressed pixel data; None compresses `pixels`. after: the last chunk, by default the end
    chunk. pixel_checksum: the checksum of the pixel data; None computes the correct checksum.
    """
    height, width = pixels.shape[:2]
    if color_type is None:
        color_type = {1: 0, 2: 4, 3: 2, 4: 6}[1 if pixels.ndim == 2 else pixels.shape[2]]
    packed = zlib.compress(png_rows(pixels, depth)) if packed is None else packed
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)),
            *chunks,
            chunk(b"IDAT", packed, checksum=pixel_checksum),
            after,
        ]
    )


def png_rows(pixels: np.ndarray, depth: int) -> bytes:
    if depth == 16:
        rows = pixels.astype(">u2").reshape(len(pixels), -1).view(np.uint8)
    elif depth == 8:
        rows = pixels.reshape(len(pixels), -1).astype(np.uint8)
    else:
        bits = np.unpackbits(pixels.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(len(pixels), -1), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in rows)


def gamma(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def chromaticities(*points: float) -> bytes:
    """Return a PNG chunk cHRM. points: x and y of the colours red, green, blue and white, in this order."""
    ordered = (*points[6:], *points[:6])
    return chunk(b"cHRM", struct.pack(">8I", *(round(point * 100_000) for point in ordered)))


ADOBE_RGB = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290)
DISPLAY_P3 = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.3290)


def code_points(primaries: int, transfer: int) -> bytes:
    return chunk(b"cICP", bytes((primaries, transfer, 0, 1)))


def profile_chunk(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


@cache
def swapped_profile() -> bytes:
    """Return an sRGB profile in which red and green are exchanged, so that the expected colours are known."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")


# Others ---------------------------------------------------------------------------------------------------------------


def tiff(pixels: np.ndarray, *more: np.ndarray, **options: Any) -> bytes:
    """Write a TIFF with tifffile and return its bytes.

    more: other pages, each marked as a reduced copy. options: arguments of tifffile.
    """
    stream = io.BytesIO()
    with tifffile.TiffWriter(
        stream, bigtiff=options.pop("bigtiff", False), byteorder=options.pop("byteorder", "<")
    ) as file:
        file.write(pixels, metadata=None, **options)
        for page in more:
            file.write(page, metadata=None, subfiletype=1, photometric="rgb")
    return stream.getvalue()


def heic(pixels: np.ndarray | Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    pillow_heif.from_pillow(image).save(stream, quality=options.pop("quality", 95), **options)
    return stream.getvalue()


def avif(pixels: np.ndarray, primaries: int = 1, transfer: int = 13, matrix: int = 6, **options: Any) -> bytes:
    return imagecodecs.avif_encode(
        pixels,
        level=options.pop("level", 95),
        primaries=primaries,
        transfer=transfer,
        matrix=matrix,
        pixelformat=options.pop("pixelformat", "444"),
        speed=options.pop("speed", 10),
        **options,
    )


def bmp(pixels: np.ndarray, *, header: bytes = b"", tail: bytes = b"", bits: int = 24) -> bytes:
    """Return pixels, an array (H, W, 3) uint8, as a BMP file.

    header: the bytes after the first 40 bytes of the DIB header. tail: the bytes after the pixels. bits: the number of
    bits per pixel that the header states.
    """
    height, width = pixels.shape[:2]
    rows = np.zeros((height, (width * 3 + 3) // 4 * 4), np.uint8)
    rows[:, : width * 3] = pixels[::-1, :, ::-1].reshape(height, -1)
    offset = 14 + 40 + len(header)
    info = struct.pack("<IiiHHIIiiII", 40 + len(header), width, height, 1, bits, 0, rows.size, 11811, 11811, 0, 0)
    size = offset + rows.size + len(tail)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, offset) + info + header + rows.tobytes() + tail


def bmp_with_alpha(rgba: np.ndarray) -> bytes:
    """Return pixels, an array (H, W, 4) uint8, as a BMP file with a V4 header, which has a mask for each channel."""
    height, width = rgba.shape[:2]
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, rgba.size, 0, 0, 0, 0)
    rows = np.ascontiguousarray(rgba[::-1][..., [2, 1, 0, 3]]).tobytes()
    return b"BM" + struct.pack("<IHHI", 122 + len(rows), 0, 0, 122) + info + masks + b"BGRs" + bytes(48) + rows


def bmp_calibrated(pixels: np.ndarray, points: tuple[float, ...], gamma: float) -> bytes:
    """Return pixels as a BMP file with a V4 header that contains primary colours and one gamma value.

    points: x and y of red, green, blue and white.
    """
    x, y = np.array(points).reshape(4, 2).T
    columns = np.stack([x, y, 1 - x - y])
    white = columns[:, 3] / y[3]
    ends = (columns[:, :3] * np.linalg.solve(columns[:, :3], white)).T
    fixed = [round(value * 2**30) for value in ends.ravel()]
    header = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0) + struct.pack(
        "<I9i3I", 0, *fixed, *[round(gamma * 65536)] * 3
    )
    return bmp(pixels, header=header)


def bmp_with_profile(pixels: np.ndarray, profile: bytes) -> bytes:
    """Return pixels as a BMP file with a V5 header, and with an ICC profile after the pixels."""
    rows = (pixels.shape[1] * 3 + 3) // 4 * 4 * pixels.shape[0]
    fields = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0) + b"MBED"[::-1] + bytes(48)
    return bmp(pixels, header=fields + struct.pack("<4I", 4, 124 + rows, len(profile), 0), tail=profile)


def camera_raw(make: bytes = b"Maker", *, dng: bool = False) -> bytes:
    """Return a TIFF like a raw file of a camera: a preview, and a sub-directory with the samples of the sensor.

    make: the maker of the camera. dng: whether to add the tag of DNG files.
    """
    preview, sensor = ball(80, 60), np.zeros((240, 320), np.uint16)
    stream = io.BytesIO()
    tags = [(50706, 1, 4, (1, 4, 0, 0), True)] if dng else []
    with tifffile.TiffWriter(stream) as file:
        file.write(
            preview,
            metadata=None,
            photometric="rgb",
            subfiletype=1,
            subifds=1,
            extratags=[*tags, (271, 2, 0, make, True)],
        )
        file.write(
            sensor,
            metadata=None,
            photometric=32803,
            extratags=[(33421, 3, 2, (2, 2), True), (33422, 1, 4, (0, 1, 1, 2), True)],
        )
    return stream.getvalue()
