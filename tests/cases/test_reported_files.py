"""Tests that the site reads unusual picture files with the correct pixel values. Decoders often read them incorrectly.

The files are generated. They show an orange ball with a leaf on a plain background, 320 x 240 pixels; pixel (160, 125)
of the ball is (197, 99, 17). The expected values are the values of Chromium's canvas, or the file's own samples.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from jobs.intake.archives import archive_limits, sources_in
from jobs.intake.sources import CheckedSource, accept_bytes, default_limits
from jobs.models import Status
from segmentation.errors import ImageUnreadable
from segmentation.image import Limits, decode
from segmentation.options import CutoutOptions
from segmentation.pipeline import cut_out
from tests.cast import Person
from tests.fakes import FakeEngine

FILES = Path(__file__).with_name("files")
BALL = (125, 160)  # row, column
NEAR = 4


def content(name: str) -> bytes:
    return (FILES / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "color"),
    [
        ("p4_gama1.png", (199, 98, 0)),
        ("c6_gama551.png", (199, 99, 9)),
        ("c4_png_adobergb_chrm.png", (224, 99, 0)),
        ("c1_avif_p3.avif", (211, 92, 0)),
        ("c3_heic_p3.heic", (211, 92, 0)),
        ("planar16_none.tif", (197, 99, 17)),
        ("j1_noeoi.jpg", (197, 99, 17)),
        ("p6_badcrc_text.png", (197, 99, 17)),
        ("f1_iccp_empty.png", (197, 99, 17)),
        ("ztxt_1mb.png", (197, 99, 17)),
        ("h1_exif6_only.heic", (197, 99, 17)),
        ("page_before.heic", (197, 99, 17)),
        ("page_before.tif", (197, 99, 17)),
    ],
)
def test_the_ball_has_its_colour(name: str, color: tuple[int, int, int]) -> None:
    picture = decode(content(name), Limits())
    row, column = (round(place * picture.rgb.shape[0] / 240) for place in BALL)

    assert np.abs(picture.rgb[row, column].astype(int) - color).max() <= NEAR


@pytest.mark.parametrize("name", ["trns_rgb16.png", "trns_g4.png"])
def test_the_transparent_colour_is_transparent(name: str) -> None:
    picture = decode(content(name), Limits())

    assert picture.alpha is not None
    assert picture.alpha[130, 150] == 0


def test_hdr_is_tone_mapped_and_noted() -> None:
    assert any("tone-mapped" in note for note in decode(content("c2_avif_pq.avif"), Limits()).probe.notes)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("d1_dng.dng", "camera raw"), ("j4_12bit.jpg", "12"), ("cmyk_alpha.tif", "CMYK")],
)
def test_a_kind_that_is_not_supported_is_named_and_not_called_damaged(name: str, reason: str) -> None:
    with pytest.raises(ImageUnreadable) as refused:
        decode(content(name), Limits())

    assert reason in refused.value.message
    assert "damaged" not in refused.value.message


def test_a_missing_end_marker_is_noted() -> None:
    assert any(note.startswith("damaged") for note in decode(content("j1_noeoi.jpg"), Limits()).probe.notes)


def test_a_turn_that_did_not_happen_is_not_noted() -> None:
    picture = decode(content("h1_exif6_only.heic"), Limits())

    assert picture.rgb.shape[:2] == (240, 320)
    assert not any("rotated" in note for note in picture.probe.notes)


def test_the_result_has_the_resolution_of_its_source() -> None:
    result = cut_out(content("dpi300.jpg"), CutoutOptions(), FakeEngine(), Limits())

    across, _ = Image.open(io.BytesIO(result.outputs[0].data)).info["dpi"]
    assert round(across) == 300


def test_a_file_without_an_extension_is_told_by_its_bytes() -> None:
    assert accept_bytes(content("IMG_0001"), name="IMG_0001").probe.format == "jpeg"


@pytest.mark.parametrize(("name", "pictures"), [("gbk_name.zip", ["图片.jpg"]), ("windows_litter.zip", ["IMG.jpg"])])
def test_archives_give_their_pictures_by_name(name: str, pictures: list[str]) -> None:
    found = sources_in(io.BytesIO(content(name)), limits=default_limits(), archive_limits=archive_limits(), field="zip")

    assert all(isinstance(source, CheckedSource) for source in found)
    assert [source.name for source in found] == pictures


@pytest.mark.django_db
def test_a_bad_picture_fails_under_its_name_and_the_good_one_is_cut_out(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.work.queue.enqueue_images", lambda image_ids, *, urgency: None)
    files = [SimpleUploadedFile(name, content(name)) for name in ("bad_half.jpg", "dpi300.jpg")]

    job = alice.api().post("/api/jobs/", {"image": files}).json()

    states = {image["name"]: image["status"] for image in job["images"]}
    assert states == {"bad_half.jpg": Status.FAILED, "dpi300.jpg": Status.QUEUED}
