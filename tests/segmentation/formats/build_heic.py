"""A HEIC that is a grid of tiles, as phones write it."""

from __future__ import annotations

import struct

import numpy as np

from segmentation.formats import boxes
from tests.segmentation.formats.build import box, heic, saved

_GRID, _TILE, _SECOND_TILE, _THUMBNAIL = 1, 2, 3, 4


def heic_grid(tile: np.ndarray) -> bytes:
    """Return a HEIC with the same tile twice, side by side, and a JPEG thumbnail. tile: (H, W, 3) uint8."""
    height, width = tile.shape[:2]
    data, thumbnail = heic(tile), saved(tile[::8, ::8], "JPEG")
    start, end = boxes.find(data, b"meta", b"iprp", b"ipco") or (0, 0)
    properties = data[start:end] + box(b"ispe", struct.pack(">3I", 0, 2 * width, height))
    count = len(list(boxes.boxes(properties)))
    coded = data[slice(*(boxes.find(data, b"mdat") or (0, 0)))]
    recipe = struct.pack(">BBBBHH", 0, 0, 0, 1, 2 * width, height)

    def meta(place: int) -> bytes:
        """Return the box `meta`. place: where the coded data begins."""
        # The flag after the version hides the tiles.
        items = {_GRID: b"grid", _TILE: b"hvc1", _SECOND_TILE: b"hvc1", _THUMBNAIL: b"jpeg"}
        entries = [
            box(b"infe", struct.pack(">IHH4sB", 2 << 24 | (kind == b"hvc1"), item, 0, kind, 0))
            for item, kind in items.items()
        ]
        tiles = tuple(range(1, count))
        links = {_GRID: (count,), _TILE: tiles, _SECOND_TILE: tiles}
        places = {
            _GRID: (1, 0, len(recipe)),
            _TILE: (0, place, len(coded)),
            _SECOND_TILE: (0, place, len(coded)),
            _THUMBNAIL: (0, place + len(coded), len(thumbnail)),
        }
        return box(
            b"meta",
            bytes(4)
            + box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + box(b"pitm", struct.pack(">IH", 0, _GRID))
            + box(
                b"iloc",
                struct.pack(">IHH", 1 << 24, 0x4400, len(places))
                + b"".join(struct.pack(">4H2I", item, method, 0, 1, *rest) for item, (method, *rest) in places.items()),
            )
            + box(b"iinf", struct.pack(">IH", 0, len(entries)) + b"".join(entries))
            + box(
                b"iref",
                bytes(4)
                + box(b"dimg", struct.pack(">4H", _GRID, 2, _TILE, _SECOND_TILE))
                + box(b"thmb", struct.pack(">3H", _THUMBNAIL, 1, _GRID)),
            )
            + box(
                b"iprp",
                box(b"ipco", properties)
                + box(
                    b"ipma",
                    struct.pack(">II", 0, len(links))
                    + b"".join(struct.pack(">HB", item, len(each)) + bytes(each) for item, each in links.items()),
                ),
            )
            + box(b"idat", recipe),
        )

    head = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    place = len(head) + len(meta(0)) + 8
    return head + meta(place) + box(b"mdat", coded + thumbnail)
