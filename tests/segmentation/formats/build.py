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


def box(kind: bytes, body: bytes) -> bytes:
    """Return a box of JPEG 2000 or of ISO base media."""
    return struct.pack(">I4s", len(body) + 8, kind) + body


def heic(pixels: np.ndarray | Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    pillow_heif.from_pillow(image).save(stream, quality=options.pop("quality", 95), **options)
    return stream.getvalue()


def heic_of_more_bits(pixels: np.ndarray) -> bytes:
    """Return a HEIC of 10 bits a channel. pixels: (H, W, 3) uint16 of full range."""
    stream = io.BytesIO()
    file = pillow_heif.from_bytes("RGB;16", pixels.shape[1::-1], pixels.tobytes())
    file.save(stream, quality=95)
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


def webp_of_frames(size: tuple[int, int], *frames: tuple[int, int, np.ndarray]) -> bytes:
    """Return an animated WebP without loss. size: width and height. frames: left, top and pixels."""

    def three_bytes(*numbers: int) -> bytes:
        return b"".join(number.to_bytes(3, "little") for number in numbers)

    def part(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)

    width, height = size
    body = part(b"VP8X", b"\2\0\0\0" + three_bytes(width - 1, height - 1)) + part(b"ANIM", bytes(6))
    for left, top, pixels in frames:
        place = three_bytes(left // 2, top // 2, pixels.shape[1] - 1, pixels.shape[0] - 1, 100) + b"\0"
        body += part(b"ANMF", place + saved(pixels, "WEBP", lossless=True)[12:])
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


# GIF ------------------------------------------------------------------------------------------------------------------

GIF_COLORS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], np.uint8)
_GIF_ROWS = (0, 2, 1, 3)  # the rows of an interlaced frame of four rows, in the order of the file
GIF_INTERLACED = np.stack([np.full((4, 3), GIF_COLORS[_GIF_ROWS.index(row)]) for row in range(4)])


def gif(width: int, height: int, *blocks: bytes) -> bytes:
    """Return a GIF with the palette GIF_COLORS. blocks: its extensions and frames."""
    start = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x81, 0, 0)
    return start + GIF_COLORS.tobytes() + b"".join(blocks) + b";"


def gif_control(key: int | None) -> bytes:
    """Return a graphic control extension. key: the index of the transparent colour, or None."""
    return b"\x21\xf9\x04" + struct.pack("<BHB", key is not None, 0, key or 0) + b"\0"


def gif_frame(left: int, top: int, width: int, height: int, *, interlaced: bool = False) -> bytes:
    """Return a frame of the colours 0 to 3: one row after another if it is interlaced, otherwise one after another."""
    numbers = [row for row in range(4) for _ in range(width)] if interlaced else [n % 4 for n in range(width * height)]
    bits = ""
    for number in numbers:
        bits = f"{number:03b}100" + bits  # the clear code (4) before each number keeps the codes at three bits
    bits = "101" + bits
    packed = int(bits, 2).to_bytes(-(-len(bits) // 8), "little")
    flags = 0x40 if interlaced else 0
    return b"," + struct.pack("<4HBB", left, top, width, height, flags, 2) + bytes([len(packed)]) + packed + b"\0"
