"""Tests of the PicWish-compatible segmentation task: it returns the picture and the mask that the fields request."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.models import Artifact
from tests import photos
from tests.api.picwish.caller import opened, poll, submit, upload
from tests.cast import Person
from tests.fakes import FakeEngine


@pytest.mark.parametrize(("output_type", "kinds"), [(1, {"image", "mask"}), (2, {"image"}), (3, {"mask"})])
def test_output_type_chooses_picture_and_mask(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, output_type: int, kinds: set[str]
) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, output_type=output_type).json()["data"]

    assert {name for name in ("image", "mask") if name in data} == kinds


def test_crop_cuts_picture_and_mask_to_the_rectangle(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes
) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, output_type=1, crop=1).json()["data"]

    rectangle = data["foreground_rect"]
    size = (rectangle["width"], rectangle["height"])
    assert opened(data["image"]).size == opened(data["mask"]).size == size
    assert size < (data["image_width"], data["image_height"])
    # The fake model's ellipse fills 60 % of each side, in the middle.
    assert abs(rectangle["x"] - 0.2 * 512) < 12
    assert abs(rectangle["width"] - 0.6 * 512) < 24


@pytest.mark.parametrize("color", ["00ff00", "#00ff00", "0f0"])
def test_jpg_is_drawn_on_the_colour(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, color: str) -> None:
    fields = {"format": "jpg", "bg_color": color}

    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, **fields).json()["data"]

    image = opened(data["image"])
    assert image.format == "JPEG"
    assert abs(np.asarray(image)[2, 2].astype(int) - [0, 255, 0]).max() < 12


def test_jpg_is_white_by_default(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, format="jpg").json()["data"]

    assert np.asarray(opened(data["image"]))[2, 2].min() > 245


def test_base64_is_the_files_bytes(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1, output_type=1, return_type=2).json()["data"]

    assert Image.open(io.BytesIO(base64.b64decode(data["image"]))).mode == "RGBA"
    assert Image.open(io.BytesIO(base64.b64decode(data["mask"]))).mode == "L"


@pytest.mark.parametrize(
    ("fields", "kind", "mode"),
    [({}, "image/png", "RGBA"), ({"output_type": 3}, "image/png", "L"), ({"format": "jpg"}, "image/jpeg", "RGB")],
)
def test_binary_answers_the_file_itself(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, fields: dict[str, Any], kind: str, mode: str
) -> None:
    answer = submit(alice, image_file=upload(jpeg_bytes), sync=1, return_type=3, **fields)

    assert answer["Content-Type"] == kind
    assert Image.open(io.BytesIO(answer.content)).mode == mode
    assert poll(alice, answer["X-Task-Id"])["state"] == 1


@pytest.mark.parametrize("subject", ["person", "object", "stamp"])
def test_a_type_asked_for_is_what_is_kept_and_told(instant_worker: FakeEngine, alice: Person, subject: str) -> None:
    page = np.full((200, 200, 3), 245, np.uint8)
    page[60:140, 60:140] = (200, 30, 40)

    data = submit(alice, image_file=upload(photos.encode(page, "PNG")), sync=1, type=subject).json()["data"]

    assert (data["type"], data["result_type"]) == (subject, subject)


def test_an_empty_type_means_detect(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync="1", type="").json()["data"]

    assert data["type"] == "auto"
    assert data["result_type"] in ("person", "object")


def test_a_link_lives_as_long_as_the_result(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    data = submit(alice, image_file=upload(jpeg_bytes), sync=1).json()["data"]

    until = int(data["image"].partition("until=")[2].partition("&")[0])
    assert abs(until - Artifact.objects.filter(kind="cutout").get().expires_at.timestamp()) < 5
