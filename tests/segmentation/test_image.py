import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, ImageCms

from segmentation.errors import ImageDimensions, ImageMissing, ImageTooLarge, ImageUnreadable
from segmentation.formats.jpeg import OpenedJpeg
from segmentation.image import ALL, Limits, decode, probe
from tests.segmentation.pictures import astronaut, corners, encoded

LIMITS = Limits()
LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True}}
LOSSY = {"JPEG": {"quality": 95}, "AVIF": {"quality": 90}}


def heic(pixels: np.ndarray, **parameters) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(stream, quality=90, **parameters)
    return stream.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, color_type: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(chunks) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("file_format", LOSSLESS)
def test_a_lossless_file_decodes_to_its_pixels(file_format):
    picture = decode(encoded(corners(), file_format, **LOSSLESS[file_format]), LIMITS)
    assert np.array_equal(picture.rgb, corners())
    assert picture.alpha is None
    assert (picture.probe.format, picture.probe.width, picture.probe.height) == (file_format.lower(), 48, 32)


@pytest.mark.parametrize("file_format", LOSSY)
def test_a_lossy_file_decodes_to_nearly_its_pixels(file_format):
    picture = decode(encoded(astronaut(), file_format, **LOSSY[file_format]), LIMITS)
    assert np.abs(picture.rgb.astype(int) - astronaut()).mean() < 4
    assert picture.probe.format == file_format.lower()


def test_a_heic_file_decodes_to_nearly_its_pixels():
    picture = decode(heic(astronaut()), LIMITS)
    assert np.abs(picture.rgb.astype(int) - astronaut()).mean() < 4
    assert picture.probe.format == "heic"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_exif_orientation_comes_out_upright(file_format, orientation):
    upright = corners()
    turned = _turned_away(upright, orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(turned, file_format, exif=exif, **({"quality": 100} if file_format in ("JPEG", "AVIF") else {}))
    picture = decode(data, LIMITS)
    assert picture.rgb.shape == upright.shape
    for y, x in ((4, 4), (4, -4), (-4, 4), (-4, -4)):
        assert np.abs(picture.rgb[y, x].astype(int) - upright[y, x]).max() < 60
    found = probe(data, LIMITS)
    assert (found.width, found.height) == (48, 32)
    expected = () if orientation == 1 else (f"rotated: EXIF orientation {orientation}",)
    # AVIF stores the orientation as transforms, and some pairs of transforms equal one rotation.
    if file_format != "AVIF":
        assert found.notes == picture.probe.notes == expected


def _turned_away(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Rotate and mirror a picture so that the EXIF orientation makes it upright again (inverse of EXIF 2.3's table)."""
    turn = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[::-1],
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a.swapaxes(0, 1)[:, ::-1],
    }
    return np.ascontiguousarray(turn[orientation](upright))


def test_a_heic_that_was_turned_is_turned_once():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decode(heic(_turned_away(corners(64, 48), 6), exif=exif.tobytes()), LIMITS)
    assert picture.rgb.shape == (48, 64, 3)
    assert picture.rgb[4, 4].argmax() == 0
    assert picture.rgb[4, -4].argmax() == 1


def test_gray_comes_out_gray_in_three_channels():
    gray = astronaut()[..., 0]
    assert np.array_equal(decode(encoded(gray), LIMITS).rgb, np.dstack([gray] * 3))


def test_one_bit_becomes_black_and_white():
    bits = Image.fromarray(corners()[..., 0]).convert("1")
    assert np.array_equal(decode(encoded(bits), LIMITS).rgb[..., 1], corners()[..., 0])


def test_a_palette_with_a_transparent_colour_gives_colours_and_alpha():
    image = Image.fromarray(corners()).quantize(4)
    image.info["transparency"] = image.getpixel((0, 0))
    picture = decode(encoded(image, "PNG"), LIMITS)
    assert np.array_equal(picture.rgb[-1, -1], (255, 255, 255))
    assert picture.alpha[0, 0] == 0
    assert picture.alpha[-1, -1] == 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_colour_key_becomes_alpha(mode):
    image = Image.fromarray(corners()).convert(mode)
    data = encoded(image, "PNG", transparency=image.getpixel((0, 0)))
    picture = decode(data, LIMITS)
    assert picture.alpha[0, 0] == 0
    assert picture.alpha[-1, -1] == 1


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_a_files_own_transparency_is_read(file_format, mode):
    levels = np.tile(np.arange(48, dtype=np.uint8) * 5, (32, 1))
    image = Image.fromarray(corners()).convert("L" if mode == "LA" else "RGB")
    image.putalpha(Image.fromarray(levels))
    parameters = {"lossless": True} if file_format == "WEBP" else {}
    picture = decode(encoded(image, file_format, **parameters), LIMITS)
    np.testing.assert_allclose(picture.alpha, levels / 255, atol=1e-6)
    assert picture.alpha.dtype == np.float32


def test_an_alpha_that_is_all_opaque_is_none():
    assert decode(encoded(Image.fromarray(corners()).convert("RGBA")), LIMITS).alpha is None


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bit_gray_is_scaled_and_not_clipped(file_format):
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (4, 1))
    picture = decode(encoded(ramp, file_format), LIMITS)
    assert np.abs(picture.rgb[0, :, 0].astype(int) - np.arange(256)).max() <= 1
    assert "16-bit" in picture.probe.notes[0]


def test_twelve_bit_gray_uses_the_whole_range():
    values = np.array([[0, 4095], [2048, 1]], np.uint16)
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, bitspersample=12, photometric="minisblack", compression="none")
    picture = decode(stream.getvalue(), LIMITS)
    assert picture.rgb[..., 0].tolist() == [[0, 255], [128, 0]]
    assert picture.probe.notes == ("depth: 12-bit gray scaled to 8 bits",)


def test_sixteen_bit_gray_that_counts_from_white_is_turned_over():
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (4, 1))
    data = encoded(ramp, "TIFF", tiffinfo={262: 0})
    assert decode(data, LIMITS).rgb[0, 0, 0] == 255


def test_sixteen_bit_colour_is_scaled():
    rows = b"".join(b"\0" + struct.pack(">6H", 65535, 32768, 0, 0, 257 * 7, 65535) for _ in range(2))
    picture = decode(png(2, 2, png_chunk(b"IDAT", zlib.compress(rows)), depth=16), LIMITS)
    assert np.abs(picture.rgb[0].astype(int) - [[255, 128, 0], [0, 7, 255]]).max() <= 1


def test_floating_point_samples_are_refused_with_the_reason():
    data = encoded(Image.fromarray(np.random.default_rng(0).random((8, 8)).astype(np.float32)), "TIFF")
    with pytest.raises(ImageUnreadable, match="floating-point"):
        decode(data, LIMITS)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(file_format):
    image = Image.fromarray(corners(64, 64)).convert("CMYK")
    picture = decode(encoded(image, file_format, **({"quality": 98} if file_format == "JPEG" else {})), LIMITS)
    assert np.abs(picture.rgb[8, 8].astype(int) - (255, 0, 0)).max() < 30
    assert np.abs(picture.rgb[-8, -8].astype(int) - (255, 255, 255)).max() < 10
    assert picture.probe.notes == ("cmyk: converted to sRGB",)


def _swapped_profile() -> bytes:
    """Return an sRGB profile in which red and green are exchanged, so that the expected colours are known."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")


def test_an_icc_profile_is_converted_to_srgb():
    picture = decode(encoded(corners(), icc_profile=_swapped_profile()), LIMITS)
    assert picture.probe.notes == ("icc: converted to sRGB",)
    assert np.abs(picture.rgb[2, 2].astype(int) - (0, 255, 0)).max() <= 2
    assert np.abs(picture.rgb[2, -2].astype(int) - (255, 0, 0)).max() <= 2


def test_an_icc_profile_does_not_touch_alpha():
    image = Image.fromarray(corners()).convert("RGBA")
    image.putalpha(100)
    picture = decode(encoded(image, icc_profile=_swapped_profile()), LIMITS)
    np.testing.assert_allclose(picture.alpha, 100 / 255, atol=1e-6)
    assert "icc: converted to sRGB" in picture.probe.notes


def test_an_srgb_profile_leaves_every_pixel_alone():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = decode(encoded(astronaut(), icc_profile=profile), LIMITS)
    assert np.array_equal(picture.rgb, astronaut())
    assert picture.probe.notes == ()


def test_a_broken_profile_is_ignored_and_said():
    picture = decode(encoded(corners(), "JPEG", icc_profile=b"no profile at all"), LIMITS)
    assert picture.probe.notes == ("icc: broken profile ignored",)


@pytest.mark.parametrize(("file_format", "note"), [
    ("GIF", "animated: first frame used"),
    ("WEBP", "animated: first of 3 frames used"),
    ("PNG", "animated: first of 3 frames used"),
    ("AVIF", "animated: first of 3 frames used"),
    ("TIFF", "multi-page: first page used"),
])  # fmt: skip
def test_of_an_animation_the_first_frame_is_used_and_said(file_format, note):
    frames = [Image.new("RGB", (24, 16), color) for color in ("red", "green", "blue")]
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:])
    assert probe(data, LIMITS).notes == (note,)
    picture = decode(data, LIMITS)
    assert picture.probe.notes == (note,)
    assert picture.rgb[8, 8].argmax() == 0


def test_a_path_and_a_stream_are_read_like_bytes(tmp_path):
    data = encoded(corners())
    (tmp_path / "photo").write_bytes(data)
    assert probe(tmp_path / "photo", LIMITS) == probe(io.BytesIO(data), LIMITS) == probe(data, LIMITS)


def test_an_empty_file_is_missing():
    with pytest.raises(ImageMissing, match="empty"):
        probe(b"", LIMITS)


def test_one_byte_too_many_is_too_large():
    data = encoded(corners())
    probe(data, Limits(max_bytes=len(data)))
    with pytest.raises(ImageTooLarge, match="larger than"):
        probe(io.BytesIO(data), Limits(max_bytes=len(data) - 1))


@pytest.mark.parametrize(("limits", "words"), [
    (Limits(max_pixels=48 * 32 - 1), "48 x 32"),
    (Limits(min_side_px=33), "at least 33"),
    (Limits(max_side_px=47), "at most 47"),
])  # fmt: skip
def test_too_many_or_too_few_pixels_are_refused_with_the_numbers(limits, words):
    for read in (probe, decode):
        with pytest.raises(ImageDimensions, match=words):
            read(encoded(corners()), limits)


def test_a_picture_of_exactly_the_limit_passes():
    assert probe(encoded(corners()), Limits(max_pixels=48 * 32, min_side_px=32, max_side_px=48)).width == 48


@pytest.mark.parametrize(("data", "words"), [
    (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    (b"<!DOCTYPE html><html><body>hi</body></html>", "web page"),
    (b"PK\x03\x04" + bytes(60), "zip"),
    (b"%PDF-1.7\n", "PDF"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
    (b"hello, world", "text"),
    (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video"),
    (b"II\xbc\x01\x20\0\0\0", "JPEG XR picture, which is not supported"),
    (b"v/1\x01\x02\0\0\0", "OpenEXR picture, which is not supported"),
    (b"P6\n8 8\n255\n" + bytes(192), "Netpbm picture, which is not supported"),
    (bytes(range(256)), "unknown"),
])  # fmt: skip
def test_what_is_no_picture_is_called_by_its_name(data, words):
    with pytest.raises(ImageUnreadable, match=words):
        probe(data, LIMITS)


def test_a_format_that_is_not_accepted_is_refused_with_those_that_are():
    with pytest.raises(ImageUnreadable, match=r"GIF pictures are not accepted here\. Send JPEG, PNG"):
        probe(encoded(corners(), "GIF"), Limits(formats=ALL - {"gif"}))


def test_a_header_of_a_billion_pixels_is_refused_before_any_is_decoded():
    bomb = png(30_000, 40_000, png_chunk(b"IDAT", zlib.compress(bytes(10_000))))
    with pytest.raises(ImageDimensions, match=r"30000 x 40000|more pixels"):
        probe(bomb, LIMITS)


def test_a_text_or_profile_that_unpacks_to_a_gigabyte_is_not_unpacked():
    packed = zlib.compress(bytes(200 * 2**20), 9)
    row = png_chunk(b"IDAT", zlib.compress(bytes(4)))
    for kind, body, notes in (
        (b"zTXt", b"key\0\0" + packed, ()),
        (b"iCCP", b"name\0\0" + packed, ("icc: oversized profile ignored",)),
    ):
        assert decode(png(1, 1, png_chunk(kind, body), row), LIMITS).probe.notes == notes


def test_a_broken_exif_does_not_spoil_a_good_picture():
    data = encoded(corners(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f\0\0")
    assert decode(data, LIMITS).rgb.shape == (32, 48, 3)


def _jpeg_with(after_start: bytes = b"", before_end: bytes = b"") -> bytes:
    data = encoded(corners(), "JPEG", progressive=True)
    return data[:2] + after_start + data[2:-2] + before_end + data[-2:]


@pytest.mark.parametrize("data", [
    _jpeg_with(after_start=b"\xff\xe5\x00\x02" * 100_000),
    _jpeg_with(after_start=b"\xff" * 100_000),
    _jpeg_with(before_end=b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 100),
], ids=["segments", "filling", "scans"])  # fmt: skip
def test_a_jpeg_made_to_keep_a_decoder_busy_is_refused(data):
    with pytest.raises(ImageUnreadable, match="far more parts"):
        probe(data, LIMITS)


def test_a_progressive_jpeg_with_a_gray_corner_is_decoded_only_once_more(monkeypatch):
    """The check for missing pixels compares the decoded pixels with those of a second decoding."""
    data = encoded(np.full((64, 64, 3), 128, np.uint8), "JPEG", progressive=True)
    times = []
    decoded = OpenedJpeg._decoded
    monkeypatch.setattr(OpenedJpeg, "_decoded", lambda *args: times.append(args) or decoded(*args))

    assert decode(data, LIMITS).rgb[5, 5].tolist() == [128, 128, 128]

    assert len(times) == 1


def test_a_film_behind_the_end_of_a_jpeg_is_no_part_of_it():
    data = encoded(corners(), "JPEG") + b"\xff\xda\x00\x02" * 10_000
    assert probe(data, LIMITS).width == 48
