"""Tests that send one photo to all APIs of a running site: the model's alpha is the same, and all results match it."""

from __future__ import annotations

import base64
import io
from typing import Any

import cv2
import numpy as np
import pytest
import requests
from PIL import Image

from tests import photos
from tests.api.contracts import needs
from tests.api.picture_server import PictureServer
from tests.stack import Api, Stack

pytestmark = [pytest.mark.e2e, needs("unet")]  # the UNet API returns the alpha with which the others are compared

SOFT_CUT = 0.1  # the soft matte's default: levels from 0.1 to 0.9 are stretched to 0..1


@pytest.fixture(scope="module")
def photo() -> bytes:
    return photos.encoded("PNG")


@pytest.fixture
def api(live_stack: Stack) -> Api:
    return live_stack.api()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def opened(url: str) -> np.ndarray:
    return pixels(requests.get(url, timeout=30).content)


def native(api: Api, photo: bytes, **fields: Any) -> dict[str, np.ndarray]:
    """Submit a photo to the native API, and return the pixels of the result's files by kind, such as `mask`."""
    job = api.post("/api/jobs/?wait=60", files={"image": photo}, data=fields).json()
    assert job["status"] == "succeeded", job
    return files_of(job)


def files_of(job: dict[str, Any]) -> dict[str, np.ndarray]:
    return {file["kind"]: opened(file["url"]) for file in job["images"][0]["files"]}


@pytest.fixture
def alpha(api: Api, photo: bytes) -> np.ndarray:
    """Return the model's alpha before post-processing, (H, W) float32 0..1, which the UNet matting API returns."""
    accept = {"Accept": "application/json+alpha"}
    body = api.post("/api/matting/single", files={"image": photo}, headers=accept).json()
    return np.frombuffer(base64.b64decode(body["alpha_map_base64"]), np.float32).reshape(body["shape"])


def hard(alpha: np.ndarray, level: float) -> np.ndarray:
    return (alpha > level).astype(np.uint8) * 255


def soft(alpha: np.ndarray) -> np.ndarray:
    return np.rint(np.clip((alpha - SOFT_CUT) / (1 - 2 * SOFT_CUT), 0, 1) * 255).astype(np.uint8)


def assert_same(found: np.ndarray, expected: np.ndarray, *, levels: int = 0) -> None:
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= levels


def test_the_photo_has_a_subject_to_compare(alpha: np.ndarray) -> None:
    assert 0.05 < (alpha > 0.5).mean() < 0.95
    assert len(np.unique(alpha)) > 1000


def test_the_native_api_stores_the_same_alpha_and_softens_it(api: Api, photo: bytes, alpha: np.ndarray) -> None:
    files = native(api, photo, outputs="cutout,mask,alpha")

    assert np.array_equal(files["alpha"].astype(np.float32) / 65535, alpha)
    assert_same(files["mask"], soft(alpha), levels=1)
    assert_same(files["cutout"][..., 3], files["mask"])


def test_unet_thresholds_erodes_and_blurs_it(api: Api, photo: bytes, alpha: np.ndarray) -> None:
    body = api.post("/api/matting/single", files={"image": photo}, data={"save_alpha": "true"}).json()

    expected = cv2.GaussianBlur(cv2.erode(hard(alpha, 10 / 50.0), np.ones((2, 2), np.uint8)), (5, 5), 0)
    assert_same(opened(body["alpha_url"]), expected)


@needs("baidu")
def test_baidu_cuts_it_at_a_half_for_a_mask_and_softens_it_for_a_picture(
    api: Api, photo: bytes, alpha: np.ndarray
) -> None:
    def segment(return_form: str) -> np.ndarray:
        body = {"image": base64.b64encode(photo).decode(), "method": "auto", "return_form": return_form}
        answer = api.post("/rest/2.0/image-process/v1/segment", json=body).json()
        return pixels(base64.b64decode(answer["image"]))

    assert_same(segment("mask"), hard(alpha, 0.5))
    assert_same(segment("rgba")[..., 3], soft(alpha), levels=1)


@needs("picwish")
def test_picwish_softens_it(api: Api, photo: bytes, alpha: np.ndarray) -> None:
    fields = {"sync": 1, "output_type": 3, "return_type": 2}
    data = api.post("/task/pic/segmentation", files={"image_file": photo}, data=fields).json()["data"]

    assert_same(pixels(base64.b64decode(data["mask"])), soft(alpha), levels=1)


@needs("dashscope")
def test_dashscope_maps_the_alpha_of_people(api: Api, photo: bytes, picture_server: PictureServer) -> None:
    url = picture_server.add("same.png", photo)
    body = {"model": "image-instance-segmentation", "input": {"image_url": url}}
    asynchronous = {"X-DashScope-Async": "enable"}
    task = api.post("/api/v1/services/aigc/image2image/image-synthesis", json=body, headers=asynchronous).json()
    files = files_of(api.get(f"/api/jobs/{task['output']['task_id']}/?wait=60").json())

    expected = native(api, photo, method="instances", outputs="mask,alpha")
    assert np.array_equal(files["alpha"], expected["alpha"])
    assert np.array_equal(files["mask"], expected["mask"])
    assert (files["alpha"][files["mask"] > 0] > 32767).all()
