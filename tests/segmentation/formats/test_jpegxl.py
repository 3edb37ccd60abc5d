"""Tests of the JPEG XL reader: all parts of a header, and animations with a profile, EXIF data or many frames."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from segmentation.encoding import Encoding
from segmentation.errors import ImageUnreadable
from segmentation.formats import jpegxl
from segmentation.formats.jpegxl import OpenedJpegXl
from segmentation.formats.jpegxl_head import Head, head
from segmentation.image import Limits, decode, probe
from tests.segmentation.formats.build import box, small

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ")
_SMALL_64 = [(1, 1), (7, 5), (1, 3)]  # 64 x 64 pixels
_ANIMATED = [(0, 1), (1, 1), (0, 3), (0, 1), (0, 1), (1, 1), (0, 2), (0, 2), (0, 2), (0, 1)]


def _stream(*numbers: tuple[int, int]) -> bytes:
    """Return a code stream of 64 x 64 pixels. numbers: each with its number of bits."""
    bits = place = 0
    for number, count in (*_SMALL_64, *numbers):
        bits, place = bits | number << place, place + count
    return b"\xff\x0a" + bits.to_bytes(place // 8 + 1, "little")


_EIGHT_BITS = [(0, 1), (0, 2)]
_NO_EXTRA = [(1, 1), (0, 2)]
_ORIGINAL = [(0, 1)]  # not stored as XYB


@pytest.mark.parametrize(
    ("colors", "expected"),
    [
        ([(1, 1)], {}),
        ([(0, 1), (0, 1), (1, 2), (1, 2), (0, 1), (2, 2), (11, 4), (0, 2)], {"is_gray": True}),
        # Primaries of Display P3 with the curve of sRGB
        (
            [(0, 1), (0, 1), (0, 2), (1, 2), (2, 2), (9, 4), (0, 1), (2, 2), (11, 4), (1, 2)],
            {"encoding": Encoding("srgb", (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290))},
        ),
        # White and primaries as coordinates, the first one negative, and a gamma of 2
        (
            [(0, 1), (0, 1), (0, 2), (2, 2), (0, 4), *[(0, 2), (19_999, 19)] * 2, (2, 2), (0, 4)]
            + [(0, 2), (200_000, 19)] * 6
            + [(1, 1), (5_000_000, 24), (1, 2)],
            {"encoding": Encoding("power", (*[0.1] * 6, -0.01, -0.01), 2.0)},
        ),
        ([(0, 1), (1, 1), (0, 2)], {"has_profile": True}),
    ],
)
def test_the_colours_of_an_animation_are_read(colors: list[tuple[int, int]], expected: dict[str, object]) -> None:
    data = _stream(*_ANIMATED, *_EIGHT_BITS, *_NO_EXTRA, *_ORIGINAL, *colors)

    found = head(data)

    assert found == Head(64, 64, is_animated=True, **expected)  # type: ignore[arg-type]


def test_extra_channels_of_an_animation_are_read() -> None:
    named_spot_color = [(0, 1), (2, 2), (0, 4), *_EIGHT_BITS, (0, 2), (1, 2), (1, 4), (65, 8), *[(0, 16)] * 4]
    depth = [(0, 1), (1, 2), *_EIGHT_BITS, (0, 2), (0, 2)]
    extra = [(1, 1), (2, 2), (1, 4), *named_spot_color, *depth, (1, 1)]

    found = head(_stream(*_ANIMATED, *_EIGHT_BITS, *extra, *_ORIGINAL, (1, 1)))

    assert found == Head(64, 64, is_animated=True, has_alpha=True)


def test_a_header_without_its_end_is_cut_short() -> None:
    with pytest.raises(EOFError):
        head(_stream(*_ANIMATED, *_EIGHT_BITS)[:6])


def test_an_animation_of_more_than_16_bits_is_refused() -> None:
    data = _stream(*_ANIMATED, (0, 1), (3, 2), (63, 6), *_NO_EXTRA, *_ORIGINAL, (1, 1))

    with pytest.raises(ImageUnreadable, match="more than 16 bits"):
        probe(data, Limits())


def test_the_profile_of_an_animation_is_ignored_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _stream(*_ANIMATED, *_EIGHT_BITS, *_NO_EXTRA, *_ORIGINAL, (0, 1), (1, 1), (0, 2))
    monkeypatch.setattr(imagecodecs, "jpegxl_decode", lambda data, index: np.zeros((64, 64, 3), np.uint8))

    assert OpenedJpegXl(data).samples().notes == ("icc: profile of an animation ignored",)


def test_only_the_first_frame_of_an_animation_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder of stills would decode all frames, of which a file of a few kilobytes can have thousands."""
    data = imagecodecs.jpegxl_encode(np.stack([small()] * 3), lossless=True)
    monkeypatch.setattr(jpegxl, "_register", lambda: pytest.fail("the decoder of all frames is used"))
    monkeypatch.setattr(Image, "open", lambda *args, **kwargs: pytest.fail("the decoder of all frames is used"))

    assert probe(data, Limits()).notes == ("animated: first frame used",)
    assert np.array_equal(decode(data, Limits()).rgb, small())


def test_the_exif_data_of_an_animation_is_read() -> None:
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 300.0, 200.0, 2
    frames = imagecodecs.jpegxl_encode(np.stack([small()] * 2), lossless=True)
    content = struct.pack(">I", 3) + b"any" + exif.tobytes().removeprefix(b"Exif\0\0")

    picture = decode(_CONTAINER + box(b"Exif", content) + box(b"jxlc", frames), Limits())

    assert picture.probe.resolution == (300, 200)
    assert picture.exif == content[7:]
