"""Tests that a file's resolution, rotation and EXIF data are used; only files that Chromium rotates are rotated."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image

from segmentation.formats.exif import kept as kept_exif
from segmentation.image import Limits, decode, probe
from segmentation.options import CutoutOptions, Format, Output
from segmentation.pipeline import cut_out
from tests.fakes import FakeEngine
from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, saved

LIMITS = Limits()


def _exif(**tags: float) -> bytes:
    exif = Image.Exif()
    for name, value in tags.items():
        exif[{"orientation": 0x0112, "x": 0x011A, "y": 0x011B, "unit": 0x0128}[name]] = value
    return exif.tobytes()


@pytest.mark.parametrize(
    ("data", "resolution"),
    [
        (saved(ball(), "JPEG", dpi=(300, 300)), (300, 300)),
        (saved(ball(), "JPEG", exif=_exif(x=118.0, y=118.0, unit=3)), (pytest.approx(299.72), pytest.approx(299.72))),
        (saved(ball(), "PNG", dpi=(300, 300)), (300, 300)),
        (saved(ball(), "TIFF", dpi=(240, 120)), (240, 120)),
        (saved(ball(), "BMP", dpi=(300, 300)), (300, 300)),
        (saved(ball(), "WEBP", exif=_exif(x=300.0, y=300.0, unit=2)), (300, 300)),
        (build.heic(ball(), exif=_exif(x=300.0, y=300.0, unit=2)), (300, 300)),
        (saved(ball(), "JPEG"), None),
        (saved(ball(), "JPEG", dpi=(300, 150), exif=_exif(orientation=6)), (150, 300)),
    ],
)
def test_the_resolution_is_read_and_turned_with_the_picture(data: bytes, resolution: object) -> None:
    assert probe(data, LIMITS).resolution == decode(data, LIMITS).probe.resolution == resolution


@pytest.mark.parametrize("file_format", Format)
def test_results_have_the_resolution_of_their_source(file_format: Format) -> None:
    options = CutoutOptions(format=file_format, outputs=tuple(Output))

    result = cut_out(saved(ball(), "JPEG", dpi=(300, 200)), options, FakeEngine(), LIMITS)

    for rendered in result.outputs:
        with Image.open(io.BytesIO(rendered.data)) as image:
            found = image.info.get("dpi") or (image.getexif()[0x011A], image.getexif()[0x011B])
        assert [round(float(value)) for value in found] == [300, 200], rendered.kind


def test_a_source_without_a_resolution_gives_results_without_one() -> None:
    result = cut_out(saved(ball(), "PNG"), CutoutOptions(), FakeEngine(), LIMITS)

    assert b"pHYs" not in result.outputs[0].data


def test_exif_does_not_turn_a_heic_and_is_not_said_to() -> None:
    data = build.heic(ball(), exif=_exif(orientation=6))
    turned = data.replace(b"irot", b"free")  # pillow_heif writes the rotation as a property; remove the EXIF tag

    picture = decode(turned, LIMITS)

    assert picture.rgb.shape[:2] == (240, 320)
    assert picture.probe.notes == ()


def test_a_turn_in_the_properties_of_a_heic_is_done_and_noted() -> None:
    upright = ball()
    data = build.heic(np.ascontiguousarray(np.rot90(upright)), exif=_exif(orientation=6))

    picture = decode(data, LIMITS)

    assert picture.rgb.shape == upright.shape
    assert np.abs(picture.rgb.astype(int) - upright).mean() < 4
    assert picture.probe.notes == ("rotated: EXIF orientation 6",)
    assert pillow_heif.is_supported(data)


def test_the_order_of_mirror_and_turn_in_a_heic_is_noted_as_it_is_done() -> None:
    data = build.heic(ball(), exif=_exif(orientation=5))  # written as a turn, then a mirror
    last = data.index(b"ipma") + 4 + 11 + 4  # the last two of six properties, with a byte each
    swapped = data[:last] + data[last : last + 2][::-1] + data[last + 2 :]

    first, second = decode(data, LIMITS), decode(swapped, LIMITS)

    assert np.abs(first.rgb[::-1, ::-1].astype(int) - second.rgb).mean() < 1
    assert first.probe.notes == ("rotated: EXIF orientation 5",)
    assert second.probe.notes == ("rotated: EXIF orientation 7",)


@pytest.mark.parametrize("turn", [1, 6])
def test_the_resolution_of_a_packed_jpeg_is_kept(turn: int) -> None:
    data = saved(ball(), "JPEG", dpi=(300, 150), exif=_exif(orientation=turn))

    picture = decode(imagecodecs.jpegxl_encode_jpeg(data), LIMITS)

    assert picture.probe.resolution == ((300, 150) if turn == 1 else (150, 300))
    assert picture.rgb.shape[:2] == ((240, 320) if turn == 1 else (320, 240))


def test_the_preview_is_upright_srgb_at_screen_size() -> None:
    wide = np.ascontiguousarray(np.tile(ball(), (1, 8, 1)))
    data = saved(wide, "TIFF", icc_profile=build.swapped_profile(), tiffinfo={274: 6})

    preview = cut_out(data, CutoutOptions(), FakeEngine(), LIMITS).preview

    assert preview.content_type == "image/jpeg"
    image = Image.open(io.BytesIO(preview.data))
    assert image.size == (preview.width, preview.height) == (192, 2048)
    assert "icc_profile" not in image.info
    assert image.convert("RGB").getpixel((96, 100))[1] > image.convert("RGB").getpixel((96, 100))[2]


def test_the_preview_of_a_transparent_source_is_transparent() -> None:
    rgba = np.dstack([ball(), build.fading(240, 320)])

    preview = cut_out(saved(Image.fromarray(rgba), "PNG"), CutoutOptions(), FakeEngine(), LIMITS).preview

    image = Image.open(io.BytesIO(preview.data))
    assert (preview.content_type, image.mode) == ("image/webp", "RGBA")
    assert image.getpixel((0, 100))[3] == 0


def _camera_exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Copyright] = "Alice"
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.ExposureTime: 0.01, ExifTags.Base.MakerNote: b"secret" * 9}
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (52.0, 31.0, 0.0)}
    return exif.tobytes()


def _cutout_exif(source: bytes, metadata: str, file_format: Format) -> Image.Exif:
    result = cut_out(source, CutoutOptions(metadata=metadata, format=file_format), FakeEngine(), LIMITS)
    with Image.open(io.BytesIO(result.outputs[0].data)) as image:
        image.load()
        return image.getexif()


@pytest.mark.parametrize("file_format", Format)
@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_is_kept_on_request_and_the_place_only_when_asked_for(source: str, file_format: Format) -> None:
    data = saved(ball(), source, exif=_camera_exif())

    kept = _cutout_exif(data, "keep", file_format)
    assert (kept[ExifTags.Base.Copyright], kept[ExifTags.Base.Make]) == ("Alice", "Maker")
    assert float(kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime]) == pytest.approx(0.01)
    assert ExifTags.Base.MakerNote not in kept.get_ifd(ExifTags.IFD.Exif)
    assert ExifTags.Base.Orientation not in kept
    assert kept.get_ifd(ExifTags.IFD.GPSInfo) == {}
    assert _cutout_exif(data, "keep_gps", file_format).get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert ExifTags.Base.Copyright not in _cutout_exif(data, "strip", file_format)


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0broken", b"II*\0\xff\xff\xff\xff", _camera_exif()[:40]])
def test_broken_exif_is_not_kept_and_hurts_nothing(exif: bytes) -> None:
    assert isinstance(kept_exif(exif, gps=True), bytes)
