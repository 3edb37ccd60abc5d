"""Tests that Baidu's official Python SDK works, unmodified, with the running site."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
import requests
from aip.base import AipBase
from PIL import Image
from skimage import data

from tests import photos
from tests.api.picture_server import PictureServer
from tests.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture
def segment_url(live_stack: Stack) -> str:
    return f"{live_stack.base_url}/rest/2.0/image-process/v1/segment"


@pytest.fixture
def sdk(live_stack: Stack) -> AipBase:
    """Return the SDK in its usual configuration, but with the token endpoint of the test site."""

    class Client(AipBase):
        _AipBase__accessTokenUrl = f"{live_stack.base_url}/oauth/2.0/token"

    return Client("1", live_stack.public_id, live_stack.secret)


def photo() -> str:
    return base64.b64encode(photos.encoded("JPEG", quality=90)).decode()


def two_subjects() -> np.ndarray:
    """Return a picture with a person on the left and a cat on the right: (512, 963, 3) uint8."""
    cat = np.asarray(Image.fromarray(data.chelsea()).resize((451, 512)))
    return np.concatenate([photos.astronaut(), cat], axis=1)


def pixels_in(answer: dict[str, Any]) -> np.ndarray:
    assert "error_code" not in answer, answer
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["image"]))))


def test_the_sdk_fetches_its_token_and_cuts_the_subject_out(sdk: AipBase, segment_url: str) -> None:
    pixels = pixels_in(sdk.post(segment_url, {"image": photo(), "method": "auto", "return_form": "rgba"}))

    assert pixels.shape == (512, 512, 4)
    alpha = pixels[..., 3]
    assert alpha[100:200, 190:260].mean() > 200  # her face
    assert alpha[100:250, 380:500].mean() < 20  # the dark hall behind her


@pytest.mark.parametrize("spelled", [json.dumps, lambda position: position], ids=["as JSON", "as a list"])
def test_the_sdk_cuts_out_what_is_in_the_box_and_nothing_else(sdk: AipBase, segment_url: str, spelled: Any) -> None:
    picture = base64.b64encode(photos.encode(two_subjects(), "JPEG", quality=90)).decode()
    left, top, right, bottom = 0, 0, 512, 512
    values = {
        "image": picture,
        "method": "control",
        "position": spelled([[[left, top], [right, bottom]]]),
        "return_form": "mask",
    }

    mask = pixels_in(sdk.post(segment_url, values))

    assert mask.shape == (512, 963)
    assert np.unique(mask).tolist() == [0, 255]
    assert mask[100:200, 190:260].mean() > 200  # the face in the box
    assert not mask[:, right + 25 :].any()  # the cat outside the box, with a margin for hair


def test_a_token_that_the_site_does_not_take_is_renewed_by_the_sdk(sdk: AipBase, segment_url: str) -> None:
    sdk._authObj = sdk._auth() | {"access_token": "24.0a1b2c.2592000.1700000000.282335-1"}

    answer = sdk.post(segment_url, {"image": photo()})

    assert pixels_in(answer).shape == (512, 512, 4)
    assert sdk._authObj["access_token"] != "24.0a1b2c.2592000.1700000000.282335-1"


def test_a_token_whose_time_is_over_is_renewed_by_the_sdk(sdk: AipBase, segment_url: str) -> None:
    first = sdk._auth()["access_token"]
    sdk._authObj["time"] -= sdk._authObj["expires_in"]

    answer = sdk.post(segment_url, {})

    assert answer["error_code"] == 216101
    assert sdk._authObj["access_token"] != first


def test_the_sdk_hears_of_an_error(sdk: AipBase, segment_url: str) -> None:
    answer = sdk.post(segment_url, {"image": photo(), "method": "control"})

    assert (answer["error_code"], answer["error_msg"]) == (282003, "missing parameters: position")
    assert answer["log_id"].isdecimal()


def test_a_wrong_secret_gives_the_sdk_no_token(live_stack: Stack, sdk: AipBase, segment_url: str) -> None:
    sdk._secretKey = "wrong"

    assert sdk.post(segment_url, {"image": photo()})["error_code"] == 110


def test_plain_requests_post_a_json_string_with_a_url(
    live_stack: Stack, segment_url: str, picture_server: PictureServer
) -> None:
    credentials = {
        "grant_type": "client_credentials",
        "client_id": live_stack.public_id,
        "client_secret": live_stack.secret,
    }
    token = requests.post(f"{live_stack.base_url}/oauth/2.0/token", params=credentials, timeout=60).json()
    url = picture_server.add("astronaut.jpg", photos.encoded("JPEG", quality=90))

    response = requests.post(
        f"{segment_url}?access_token={token['access_token']}",
        data=json.dumps({"url": url, "method": "auto", "refine_mask": "true", "return_form": "rgba"}),
        headers={"content-type": "application/json"},
        timeout=120,
    )

    assert response.status_code == 200
    assert pixels_in(response.json()).shape == (512, 512, 4)
