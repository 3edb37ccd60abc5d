import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from segmentation.errors import ImageError, ImageUnreadable
from segmentation.image import Limits, decode, probe
from tests.segmentation.pictures import astronaut, corners, encoded
from tests.segmentation.test_image import heic, png_chunk

LIMITS = Limits()
LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True}}
LOSSY = {"JPEG": {"quality": 95}, "AVIF": {"quality": 90}}


def _samples() -> dict[str, bytes]:
    photo = astronaut()[:96, :128]
    files = {name: encoded(photo, name) for name in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "BMP")}
    files["progressive JPEG"] = encoded(photo, "JPEG", progressive=True)
    files["LZW TIFF"] = encoded(photo, "TIFF", compression="tiff_lzw")
    files["HEIC"] = heic(photo)
    return files


@pytest.mark.parametrize(("name", "data"), _samples().items(), ids=_samples().keys())
def test_a_file_cut_short_anywhere_is_refused(name, data):
    for percent in range(5, 100, 5):
        with pytest.raises(ImageError) as caught:
            probe(data[: len(data) * percent // 100], LIMITS)
        assert caught.value.http_status < 500
        assert str(caught.value).endswith(".")


@pytest.mark.parametrize(("name", "data"), _samples().items(), ids=_samples().keys())
def test_a_file_with_overwritten_bytes_decodes_or_is_refused(name, data):
    generator = np.random.default_rng(len(data))
    for _ in range(25):
        damaged = np.frombuffer(data, np.uint8).copy()
        places = generator.integers(0, min(len(data), 2000), 6)
        damaged[places] = generator.integers(0, 256, 6)
        try:
            picture = decode(damaged.tobytes(), LIMITS)
        except ImageError:
            continue
        assert picture.rgb.dtype == np.uint8
        assert picture.rgb.shape == (picture.probe.height, picture.probe.width, 3)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_a_file_that_wears_the_first_bytes_of_another_is_refused(name):
    data = encoded(corners(), name)
    disguised = b"\x89PNG\r\n\x1a\n" + data if name != "PNG" else b"\xff\xd8\xff" + data
    with pytest.raises(ImageUnreadable):
        probe(disguised, LIMITS)


def test_an_exif_behind_the_pixels_of_a_png_is_honoured_by_both_readers():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(corners(width=48, height=32))
    end = len(data) - 12  # the chunk IEND
    data = data[:end] + png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + data[end:]
    assert (probe(data, LIMITS).width, decode(data, LIMITS).probe.width) == (32, 32)


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_orientation_that_only_xmp_tells_is_not_applied(file_format):
    parameters = {"xmp": XMP}
    if file_format == "PNG":
        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
        parameters = {"pnginfo": texts}
    if file_format == "TIFF":
        parameters = {"tiffinfo": {700: XMP}}
    data = encoded(corners(), file_format, **parameters)
    assert b"tiff:Orientation" in data
    found, picture = probe(data, Limits()), decode(data, Limits())
    assert (found.width, found.height) == (48, 32)
    assert picture.rgb.shape == (32, 48, 3)


def test_samples_without_a_range_are_refused_before_a_worker_has_them():
    data = encoded(Image.fromarray(np.zeros((8, 8), np.float32)), "TIFF")
    with pytest.raises(ImageUnreadable, match="floating-point"):
        probe(data, Limits())
