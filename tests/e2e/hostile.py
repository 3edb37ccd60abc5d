"""Hostile files: truncated files, false headers, far too large content, and files that are not pictures."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from PIL import Image
from pillow_heif import register_heif_opener

from tests import photos

# Formats whose decoder detects a missing end. BMP and GIF are cut inside their pixels instead.
_CUT_FORMATS = {
    "JPEG": {"quality": 85},
    "PNG": {},
    "WEBP": {"quality": 80},
    "BMP": {},
    "TIFF": {},
    "GIF": {},
    "AVIF": {"quality": 60},
    "HEIF": {"quality": 60},
}
_MAX_BYTES = 20 * 2**20


def hostile_files() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the names of hostile files, each with a function that returns the content.

    The site must reject these files before it stores or queues anything. The bombs are packed only when their function
    is called, because this takes seconds.
    """
    register_heif_opener()
    for files in (_cut_short(), _damaged(), _lying_headers(), _other_kinds(), _noise()):
        for name, content in files:
            yield name, partial(bytes, content)
    yield from _bombs()


def _cut_short() -> Iterator[tuple[str, bytes]]:
    picture = Image.fromarray(photos.astronaut()).resize((160, 160))
    for name, options in _CUT_FORMATS.items():
        buffer = io.BytesIO()
        picture.save(buffer, name, **options)
        whole = buffer.getvalue()
        for percent in range(0, 100, 5):
            yield f"{name.lower()}-cut-at-{percent}-percent", whole[: len(whole) * percent // 100]


def _damaged() -> Iterator[tuple[str, bytes]]:
    """Yield PNG files in which one byte of the compressed data is changed, so that pixels are missing.

    Leave out files in which all pixels can still be read. Only their checksum is wrong, and the site accepts them with
    a note, as browsers do.
    """
    pixels = photos.astronaut()[:160, :160]
    whole = photos.encode(pixels, "PNG")
    start = whole.index(b"IDAT") + 4
    for position in np.linspace(start, len(whole) * 0.9, 40).astype(int):
        flipped = whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :]
        if not _holds_all_pixels(flipped, pixels):
            yield f"png-flipped-at-{position}", flipped


def _holds_all_pixels(png: bytes, pixels: np.ndarray) -> bool:
    """Return whether the compressed data of a PNG contains all rows with valid filters. Ignore checksums."""
    height, width, channels = pixels.shape
    stream, place = b"", 8
    while place + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        stream += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += length + 12
    try:
        rows = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream[2:])
    except zlib.error:
        return False
    step = width * channels + 1
    return len(rows) == height * step and all(rows[row * step] <= 4 for row in range(height))


def _lying_headers() -> Iterator[tuple[str, bytes]]:
    tiny = photos.astronaut()[:32, :32]
    sides = ((0, 0), (0, 32), (32, 0), (60_000, 60_000), (65_535, 2), (33, 4096), (2**31 - 1, 2**31 - 1))
    for width, height in sides:
        name = f"claims-{width}x{height}"
        yield f"png-{name}", png_claiming(width, height, tiny)
        yield f"bmp-{name}", _patched(photos.encode(tiny, "BMP"), 18, struct.pack("<ii", width, height))
        if max(width, height) < 65_536:
            yield f"gif-{name}", _gif_claiming(width, height, tiny)
            if width * height == 0 or width * height > 50_000_000:  # decoders fill a JPEG's missing rows, as allowed
                yield f"jpeg-{name}", _jpeg_claiming(width, height, tiny)
    png, jpeg = photos.encode(tiny, "PNG"), photos.encode(tiny, "JPEG")
    yield "png-signature-before-jpeg", png[:8] + jpeg
    yield "jpeg-signature-before-png", jpeg[:4] + png
    for depth, color in ((3, 2), (16, 3), (8, 7), (255, 255)):
        yield (
            f"png-depth-{depth}-color-{color}",
            _png_with_header(struct.pack(">IIBBBBB", 32, 32, depth, color, 0, 0, 0)),
        )
    yield "png-without-pixels", png[:8] + _chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)) + _END
    yield "tiff-endless-directory", b"II*\0\x08\0\0\0" + b"\xff\xff" + b"\0" * 60
    yield "tiff-directory-beyond-end", b"II*\0\xff\xff\xff\x7f" + b"\0" * 60
    yield "webp-length-beyond-end", b"RIFF\xff\xff\xff\x7fWEBPVP8 \xff\xff\xff\x7f" + b"\0" * 60
    yield "heic-brand-alone", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    yield "avif-brand-alone", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"


def _bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for side in (8_000, 12_000, 20_000):
        yield f"png-bomb-{side}", partial(_png_bomb, side)
    yield "tiff-bomb-30000", partial(_saved, "1", 30_000, "TIFF", compression="group4")
    yield "gif-bomb-20000", partial(_saved, "P", 20_000, "GIF")
    yield "larger-than-allowed.jpg", lambda: photos.encoded("JPEG") + bytes(_MAX_BYTES)


def _png_bomb(side: int) -> bytes:
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(side + 1)) for _ in range(side)) + rows.flush()
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", packed) + _END


def _saved(mode: str, side: int, format_name: str, **options: str) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (side, side)).save(buffer, format_name, **options)
    return buffer.getvalue()


def _other_kinds() -> Iterator[tuple[str, bytes]]:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.png", photos.encoded("PNG")[:1000])
    kinds = {
        "empty": b"",
        "one-byte": b"\x89",
        "one-line-feed": b"\n",
        "text": b"This is not a picture.\n" * 40,
        "text-utf16": "not a picture".encode("utf-16"),
        "html": b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>",
        "svg": svg,
        "svg-after-xml": b'<?xml version="1.0"?>' + svg,
        "svg-gzipped": gzip.compress(svg),
        "xml-entities": b'<!DOCTYPE a [<!ENTITY b "c">]><svg>&b;</svg>',
        "pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
        "zip": archive.getvalue(),
        "gzip-of-a-picture": gzip.compress(photos.encoded("PNG")[:5000]),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(200),
        "windows-program": b"MZ" + bytes(200),
        "video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(500),
        "sqlite": b"SQLite format 3\0" + bytes(500),
        "json": b'{"image": "photo.jpg"}',
        "php": b"<?php system($_GET['c']); ?>",
        "gif-then-php": b"GIF89a<?php system($_GET['c']); ?>",
        "jpeg-then-html": b"\xff\xd8\xff<html><script>alert(1)</script>",
        "photoshop": b"8BPS\0\x01" + bytes(200),
        "icon": b"\0\0\1\0\1\0" + bytes(200),
        "jpeg-2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(200),
        "jpeg-xl": b"\xff\x0a" + bytes(200),
        "netpbm": b"P6\n2 2\n255\n" + bytes(12),
        "zeros": bytes(4096),
    }
    yield from kinds.items()


def _noise() -> Iterator[tuple[str, bytes]]:
    """Yield files that contain the signature of a real format, followed by random bytes."""
    source = random.Random(20_260)
    signatures = {
        "nothing": b"",
        "png": b"\x89PNG\r\n\x1a\n",
        "jpeg": b"\xff\xd8\xff\xe0",
        "gif": b"GIF89a",
        "bmp": b"BM",
        "tiff": b"II*\0",
        "webp": b"RIFF\x10\x10\0\0WEBPVP8L",
        "heic": b"\0\0\0\x18ftypheic",
        "avif": b"\0\0\0\x18ftypavif",
    }
    for name, signature in signatures.items():
        for length in (16, 200, 2_000, 20_000, 200_000, 1_000_000):
            yield f"noise-after-{name}-{length}", signature + source.randbytes(length)


def png_claiming(width: int, height: int, pixels: np.ndarray) -> bytes:
    """Return a PNG that contains `pixels`, but whose header states the size width x height. The checksum is correct."""
    whole = photos.encode(pixels, "PNG")
    return _patched(whole, 8, _chunk(b"IHDR", struct.pack(">II", width, height) + whole[24:29]))


def _png_with_header(header: bytes) -> bytes:
    whole = photos.encode(photos.astronaut()[:32, :32], "PNG")
    return _patched(whole, 8, _chunk(b"IHDR", header))


def _jpeg_claiming(width: int, height: int, pixels: np.ndarray) -> bytes:
    whole = photos.encode(pixels, "JPEG")
    return _patched(whole, whole.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width))


def _gif_claiming(width: int, height: int, pixels: np.ndarray) -> bytes:
    """Return a GIF that contains `pixels`, but whose screen and frame sizes are width x height."""
    whole = photos.encode(pixels, "GIF")
    frame = whole.index(b"\x2c\0\0\0\0")
    return _patched(_patched(whole, 6, struct.pack("<HH", width, height)), frame + 5, struct.pack("<HH", width, height))


def _patched(whole: bytes, position: int, part: bytes) -> bytes:
    return whole[:position] + part + whole[position + len(part) :]


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


_END = _chunk(b"IEND", b"")
