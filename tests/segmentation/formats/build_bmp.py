"""BMP files of all kinds."""

from __future__ import annotations

import struct

import numpy as np


def bmp_of(
    width: int,
    height: int,
    bits: int,
    stored: bytes,
    *,
    header_bytes: int = 40,
    packing: int = 0,
    palette: np.ndarray | None = None,
    masks: tuple[int, ...] = (),
    used: int = 0,
) -> bytes:
    """Return a BMP with any header.

    height: negative if the first row is the highest one. stored: the rows as in the file. header_bytes: the length and
    thereby the kind of the DIB header. packing: the compression. palette: (N, 3) uint8 RGB. masks: of the channels.
    used: the stated number of colours.
    """
    if header_bytes == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    elif header_bytes == 16:
        info = struct.pack("<IiiHH", 16, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header_bytes, width, height, 1, bits, packing, len(stored), 0, 0, used, 0)
    info += struct.pack(f"<{len(masks)}I", *masks)
    if header_bytes >= 108:
        info = info.ljust(56, b"\0") + b"BGRs"  # sRGB
    info = info.ljust(header_bytes, b"\0")
    table = b""
    if palette is not None:
        entries = np.zeros((len(palette), 3 if header_bytes == 12 else 4), np.uint8)
        entries[:, :3] = palette[:, ::-1]
        table = entries.tobytes()
    offset = 14 + len(info) + len(table)
    return b"BM" + struct.pack("<IHHI", offset + len(stored), 0, 0, offset) + info + table + stored


def rows_of(numbers: np.ndarray, bits: int, *, top_down: bool = False) -> bytes:
    """Return (H, W) numbers, or (H, W, 3) uint8 RGB for 24 bits, as the stored rows of a BMP."""
    numbers = numbers if top_down else numbers[::-1]
    if bits < 8:
        single = np.unpackbits(numbers.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
        rows = np.packbits(single.reshape(len(numbers), -1), axis=1)
    elif bits == 24:
        rows = np.ascontiguousarray(numbers[..., ::-1]).reshape(len(numbers), -1)
    else:
        rows = numbers.astype(f"<u{bits // 8}").view(np.uint8).reshape(len(numbers), -1)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes()


def runs_of(numbers: np.ndarray, bits: int, *, end: bytes = b"\0\1") -> bytes:
    """Return (H, W) numbers run-length encoded: runs, and three different numbers at the start of each row."""
    stored = b""
    for row in numbers[::-1].tolist():
        first = row[:3]
        halves = bytes(first) if bits == 8 else bytes([first[0] << 4 | first[1], first[2] << 4])
        stored += bytes([0, 3]) + halves + b"\0" * (len(halves) & 1)
        place = 3
        while place < len(row):
            length = 1
            while place + length < len(row) and row[place + length] == row[place] and length < 255:
                length += 1
            stored += bytes([length, row[place] * (1 if bits == 8 else 17)])
            place += length
        stored += b"\0\0"
    return stored + end


def channel(values: np.ndarray, mask: int) -> np.ndarray:
    """Return (H, W) uint8 values reduced to the bits of a mask and moved there, uint32."""
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    return (np.rint(values.astype(float) * most / 255).astype(np.uint64) << shift).astype(np.uint32)


def bmp(pixels: np.ndarray, *, header: bytes = b"", tail: bytes = b"", bits: int = 24) -> bytes:
    """Return a BMP of (H, W, 3) uint8.

    header: the bytes after the first 40 bytes of the DIB header. tail: the bytes after the pixels. bits: the bits per
    pixel that the header states.
    """
    height, width = pixels.shape[:2]
    rows = np.zeros((height, (width * 3 + 3) // 4 * 4), np.uint8)
    rows[:, : width * 3] = pixels[::-1, :, ::-1].reshape(height, -1)
    offset = 14 + 40 + len(header)
    info = struct.pack("<IiiHHIIiiII", 40 + len(header), width, height, 1, bits, 0, rows.size, 11811, 11811, 0, 0)
    size = offset + rows.size + len(tail)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, offset) + info + header + rows.tobytes() + tail


def bmp_with_alpha(rgba: np.ndarray) -> bytes:
    """Return a BMP of (H, W, 4) uint8, with 32 bits per pixel and a mask for each channel (a V4 header)."""
    height, width = rgba.shape[:2]
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, rgba.size, 0, 0, 0, 0)
    rows = np.ascontiguousarray(rgba[::-1][..., [2, 1, 0, 3]]).tobytes()
    return b"BM" + struct.pack("<IHHI", 122 + len(rows), 0, 0, 122) + info + masks + b"BGRs" + bytes(48) + rows


def bmp_calibrated(pixels: np.ndarray, points: tuple[float, ...], gamma: float) -> bytes:
    """Return a BMP with a V4 header that contains primaries and one gamma.

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
    """Return a BMP with a V5 header and an ICC profile after the pixels."""
    rows = (pixels.shape[1] * 3 + 3) // 4 * 4 * pixels.shape[0]
    fields = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0) + b"MBED"[::-1] + bytes(48)
    return bmp(pixels, header=fields + struct.pack("<4I", 4, 124 + rows, len(profile), 0), tail=profile)
