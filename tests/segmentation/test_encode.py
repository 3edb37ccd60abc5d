import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from segmentation.encode import (
    encode_alpha,
    encode_jpeg,
    encode_png,
    encode_webp,
    quantize,
    read_alpha,
    read_texts,
    to_float,
)
from segmentation.errors import ImageUnreadable, InvalidParameter

GENERATOR = np.random.default_rng(5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (31, 57)])
@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_a_png_opens_elsewhere_with_the_same_pixels(channels, mode, shape):
    pixels = GENERATOR.integers(0, 256, (*shape, channels), dtype=np.uint8)
    image = Image.open(io.BytesIO(encode_png(pixels)))
    assert image.mode == mode
    assert np.array_equal(np.asarray(image).reshape(pixels.shape), pixels)


def test_every_chunk_of_a_png_carries_its_checksum():
    data = encode_png(GENERATOR.integers(0, 256, (20, 20, 3), dtype=np.uint8))
    place, kinds = 8, []
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        body = data[place + 4 : place + 8 + length]
        kinds.append(body[:4])
        assert zlib.crc32(body) == int.from_bytes(data[place + 8 + length : place + 12 + length], "big")
        place += length + 12
    assert kinds == [b"IHDR", b"sRGB", b"IDAT", b"IEND"]


def test_a_slice_of_a_picture_encodes_like_its_copy():
    pixels = GENERATOR.integers(0, 256, (40, 40, 4), dtype=np.uint8)
    assert encode_png(pixels[5:30, 7:21]) == encode_png(pixels[5:30, 7:21].copy())


def test_a_flat_picture_becomes_a_small_file():
    pixels = np.full((1080, 1920, 4), 77, np.uint8)
    assert len(encode_png(pixels)) < pixels.size / 200


def test_an_alpha_comes_back_to_the_last_of_its_sixteen_bits():
    values = GENERATOR.integers(0, 65536, (33, 47), dtype=np.uint16)
    data = encode_alpha(values)
    assert np.array_equal(quantize(read_alpha(data)), values)
    assert read_alpha(data).dtype == np.float32


def test_every_level_survives_the_way_through_float():
    values = np.arange(65536, dtype=np.uint16)[None]
    assert np.array_equal(quantize(to_float(values)), values)


def test_quantizing_keeps_alpha_in_its_range():
    assert quantize(np.array([[-0.2, 0, 1, 1.2]], np.float32)).tolist() == [[0, 0, 65535, 65535]]


def test_an_eight_bit_mask_reads_as_an_alpha():
    assert read_alpha(encode_png(np.array([[0, 255]], np.uint8))).tolist() == [[0, 1]]


@pytest.mark.parametrize("data", [b"", b"nonsense", encode_png(np.zeros((2, 2, 3), np.uint8))])
def test_what_is_no_alpha_is_refused(data):
    with pytest.raises(ImageUnreadable):
        read_alpha(data)


def test_texts_travel_with_the_pixels_and_do_not_change_them():
    values = GENERATOR.integers(0, 65536, (5, 5), dtype=np.uint16)
    data = encode_alpha(values, texts={"subject": "person", "note": "zwölf"})
    assert read_texts(data) == {"subject": "person", "note": "zwölf"}
    assert np.array_equal(quantize(read_alpha(data)), values)
    assert Image.open(io.BytesIO(data)).info["subject"] == "person"


@pytest.mark.parametrize(("encode", "side_px"), [(encode_webp, 16_384), (encode_jpeg, 65_501)])
def test_a_side_that_a_format_cannot_hold_is_refused_by_name(encode, side_px):
    with pytest.raises(InvalidParameter, match=str(side_px)) as caught:
        encode(np.zeros((1, side_px, 3), np.uint8))
    assert caught.value.field == "format"


@pytest.mark.parametrize("shape", [(7, 5), (70, 50, 4), (64, 33, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_png_written_in_strips_holds_every_row(shape, kind, monkeypatch):
    monkeypatch.setattr("segmentation.encode._STRIP_BYTES", 700)
    pixels = np.random.default_rng(5).integers(0, np.iinfo(kind).max, shape).astype(kind)
    opened = cv2.imdecode(np.frombuffer(encode_png(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        opened = opened[..., [2, 1, 0, 3][: shape[2]]]
    assert np.array_equal(opened, pixels)
