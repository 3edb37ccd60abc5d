"""The rows of docs/formats.md for BMP."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, fading, saved, small
from tests.segmentation.formats.build_bmp import (
    bmp,
    bmp_calibrated,
    bmp_of,
    bmp_with_alpha,
    bmp_with_profile,
    channel,
    rows_of,
    runs_of,
)
from tests.segmentation.formats.rows.row import AS_SRGB, CUT, EIGHT, File, Row, gray, swapped, three

_HEIGHT, _WIDTH = small().shape[:2]
_MASKS = (
    (16, (0x7C00, 0x03E0, 0x001F)),
    (16, (0xF800, 0x07E0, 0x001F)),
    (16, (0x001F, 0x07E0, 0xF800)),
    (16, (0x0F00, 0x00F0, 0x000F)),
    (32, (0xFF0000, 0xFF00, 0xFF)),
    (32, (0xFF, 0xFF00, 0xFF0000)),
    (32, (0xFF00, 0xFF0000, 0xFF000000)),
    (32, (0x3FF00000, 0x000FFC00, 0x000003FF)),
)


def _few(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the small picture with `count` colours: indexes, (H, W), and palette, (count, 3) uint8."""
    image = Image.fromarray(small()).quantize(count)
    palette = np.array(image.getpalette()[: 3 * count], np.uint8).reshape(-1, 3)
    return np.asarray(image), palette


def _bmps() -> Iterator[File]:
    yield File(bmp(small()), small())
    yield File(saved(Image.fromarray(gray()), "BMP"), three(gray()))
    for bits in (1, 2, 4, 8):
        indexes, palette = _few(2**bits)
        yield File(bmp_of(_WIDTH, _HEIGHT, bits, rows_of(indexes, bits), palette=palette), palette[indexes])
    rgba = np.dstack([small(), fading()])
    yield File(saved(Image.fromarray(rgba), "BMP"), small())  # the fourth byte has no meaning there
    yield File(bmp_of(_WIDTH, -_HEIGHT, 24, rows_of(small(), 24, top_down=True)), small())
    indexes, palette = _few(16)
    for header_bytes in (12, 40, 64, 108, 124):
        data = bmp_of(_WIDTH, _HEIGHT, 4, rows_of(indexes, 4), palette=palette, header_bytes=header_bytes)
        yield File(data, palette[indexes])
    short = np.concatenate([palette[:12], np.zeros((4, 3), np.uint8)])
    yield File(bmp_of(_WIDTH, _HEIGHT, 4, rows_of(indexes, 4), palette=palette[:12], used=12), short[indexes])
    yield File(bmp_of(_WIDTH, _HEIGHT, 24, rows_of(small(), 24), header_bytes=16), small())
    yield from _bmp_plain_without_alpha()


def _bmp_masks() -> Iterator[File]:
    for bits, masks in _MASKS:
        numbers = sum(channel(small()[..., index], mask) for index, mask in enumerate(masks))
        rounded = np.stack([_rounded(small()[..., index], mask) for index, mask in enumerate(masks)], -1)
        for header_bytes, packing in ((40, 3), (52, 3), (108, 3)):
            data = bmp_of(_WIDTH, _HEIGHT, bits, rows_of(np.asarray(numbers), bits), packing=packing, masks=masks,
                          header_bytes=header_bytes)  # fmt: skip
            yield File(data, rounded)


def _rounded(values: np.ndarray, mask: int) -> np.ndarray:
    """Return values as they are after a reduction to the bits of a mask."""
    most = mask // (mask & -mask)
    return np.rint(np.rint(values.astype(float) * most / 255) * 255 / most).astype(np.uint8)


def _bmp_alphas() -> Iterator[File]:
    rgba = np.dstack([small(), fading()])
    yield File(bmp_with_alpha(rgba), small(), fading())
    for masks in ((0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF000000, 0xFF0000, 0xFF00, 0xFF)):
        numbers = np.asarray(sum(channel(rgba[..., index], mask) for index, mask in enumerate(masks)))
        for header_bytes, packing in ((40, 6), (56, 3), (124, 3)):
            data = bmp_of(_WIDTH, _HEIGHT, 32, rows_of(numbers, 32), packing=packing, masks=masks,
                          header_bytes=header_bytes)  # fmt: skip
            yield File(data, small(), fading())


def _bmp_plain_alphas() -> Iterator[File]:
    """Yield uncompressed files whose header has masks. Chromium uses only that of the alpha, in headers V4 and V5."""
    rgba = np.dstack([small(), fading()])
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    rows = rows_of(np.asarray(sum(channel(rgba[..., index], mask) for index, mask in enumerate(masks))), 32)
    for header_bytes in (108, 124):
        for stated in (masks, (0, 0, 0, masks[3]), (*masks[2::-1], masks[3])):
            data = bmp_of(_WIDTH, _HEIGHT, 32, rows, masks=stated, header_bytes=header_bytes)
            yield File(data, small(), fading())


def _bmp_plain_without_alpha() -> Iterator[File]:
    rgba = np.dstack([small(), fading()])
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    rows = rows_of(np.asarray(sum(channel(rgba[..., index], mask) for index, mask in enumerate(masks))), 32)
    for header_bytes, stated in ((56, masks), (64, masks), (108, (*masks[:3], 0)), (124, (0, 0, 0, 0))):
        yield File(bmp_of(_WIDTH, _HEIGHT, 32, rows, masks=stated, header_bytes=header_bytes), small())


def _bmp_runs() -> Iterator[File]:
    for bits in (4, 8):
        indexes, palette = _few(16)
        stored = runs_of(indexes, bits)
        packing = 1 if bits == 8 else 2
        yield File(bmp_of(_WIDTH, _HEIGHT, bits, stored, packing=packing, palette=palette), palette[indexes])


def _bmp_skips() -> Iterator[File]:
    palette = np.array([(9, 9, 9), (200, 100, 50)], np.uint8)
    black, brown = (0, 0, 0), (200, 100, 50)
    moved = bytes([2, 1, 0, 2, 1, 1, 1, 1, 0, 1])  # two pixels, a move by one column and one row, one pixel, the end
    rgb = np.array([[black, black, black, brown], [brown, brown, black, black]], np.uint8)
    yield File(bmp_of(4, 2, 8, moved, packing=1, palette=palette), rgb)
    yield File(
        bmp_of(4, 2, 8, bytes([4, 1, 0, 1]), packing=1, palette=palette), np.array([[black] * 4, [brown] * 4], "u1")
    )


def _bmp_runs_cut() -> Iterator[bytes]:
    indexes, palette = _few(16)
    stored = runs_of(indexes, 8)
    yield bmp_of(_WIDTH, _HEIGHT, 8, stored[: len(stored) // 2], packing=1, palette=palette)


def _bmp_too_many_codes() -> Iterator[bytes]:
    palette = np.array([(9, 9, 9), (200, 100, 50)], np.uint8)
    for code in (bytes([0, 2, 0, 0]), bytes([1, 1]), bytes([0, 3, 1, 1, 1, 0])):
        yield bmp_of(100, 100, 8, code * 100_000, packing=1, palette=palette)


def _bmp_runs_without_end() -> Iterator[File]:
    palette = np.array([(9, 9, 9), (200, 100, 50)], np.uint8)
    short = np.array([[(200, 100, 50)] * 2 + [(0, 0, 0)] * 2] * 2, np.uint8)
    yield File(bmp_of(4, 2, 8, bytes([2, 1, 0, 0, 2, 1, 0, 0]), packing=1, palette=palette), short)
    indexes, palette = _few(16)
    yield File(bmp_of(_WIDTH, _HEIGHT, 8, runs_of(indexes, 8, end=b""), packing=1, palette=palette), palette[indexes])


BMP = [
    Row("BMP", "1, 2, 4, 8, 24 or 32 bits, with any header, in either order of the rows", EIGHT, _bmps),
    Row("BMP", "16 or 32 bits with any masks of the channels", EIGHT, _bmp_masks),
    Row("BMP", "32 bits with a mask of the alpha", "8 bits, sRGB, with alpha", _bmp_alphas),
    Row("BMP", "32 bits without compression, with a mask of the alpha in a header V4 or V5",
        "8 bits, sRGB, with alpha in the highest byte, as in browsers", _bmp_plain_alphas),
    Row("BMP", "run-length encoded, 4 or 8 bits", EIGHT, _bmp_runs),
    Row("BMP", "run-length encoded, with skipped pixels", "opaque black there, as in browsers", _bmp_skips),
    Row("BMP", "ICC profile", AS_SRGB, lambda: [
        File(bmp_with_profile(ball(), build.swapped_profile()), swapped(ball()), tolerance=2),
    ], ("icc: converted to sRGB",)),
    Row("BMP", "primaries and gamma in the header", "read as sRGB, as in browsers", lambda: [
        File(bmp_calibrated(ball(), build.DISPLAY_P3, 2.2), ball()),
    ], ("calibrated: colours of the header ignored",)),
    Row("BMP", "missing filling behind the last row, or up to three bytes, or the mark at the end of runs", "read",
        lambda: [
        File(bmp(small()[:, :105])[:-1], small()[:, :105]),
        File(bmp(ball())[:-2], ball(), lossy=True),
        *_bmp_runs_without_end(),
    ], (CUT,)),
    Row("BMP", "missing pixels", "", lambda: [bmp(ball())[:-4], *_bmp_runs_cut()], refused="is cut short"),
    Row("BMP", "run-length encoded, with far more codes than pixels", "", _bmp_too_many_codes,
        refused="is built of far more parts"),
    Row("BMP", "JPEG or PNG inside, CMYK, 64 bits, compressions of OS/2", "", lambda: [
        bmp_of(8, 8, 0, bytes(99), packing=4),
        bmp_of(8, 8, 0, bytes(99), packing=5),
        bmp_of(8, 8, 32, bytes(256), packing=11),
        bmp_of(8, 8, 64, bytes(512)),
        bmp_of(8, 8, 1, bytes(99), packing=3, header_bytes=64),
    ], refused="which is not supported"),
]  # fmt: skip
