"""End-to-end test: a photo is sent over HTTP, and the real worker with the real model returns its cutout."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests import photos
from tests.api.contracts import needs
from tests.stack import Stack

pytestmark = pytest.mark.e2e

# Regions of the photo, (top, bottom, left, right) in pixels: face and suit belong to the astronaut, the wall beside her
# head does not.
FACE = (80, 180, 190, 260)
SUIT = (330, 480, 80, 240)  # left of the helmet that she holds
WALL = (10, 150, 310, 370)


def test_the_astronaut_comes_back_cut_out(live_stack: Stack) -> None:
    api = live_stack.api()

    response = api.post("/api/jobs/?wait=60", files={"image": ("astronaut.png", photos.encoded("PNG"))})

    job = response.json()
    assert response.status_code == 200, job
    assert job["status"] == "succeeded"
    picture = Image.open(io.BytesIO(api.get(_link(job, "cutout")).content))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (512, 512))
    pixels = np.asarray(picture)
    alpha = pixels[..., 3] / 255
    assert _mean(alpha, FACE) > 0.9
    assert _mean(alpha, SUIT) > 0.9
    assert _mean(alpha, WALL) < 0.1
    assert 0.2 < alpha.mean() < 0.8
    face = (slice(*FACE[:2]), slice(*FACE[2:]))
    assert np.abs(pixels[face][..., :3].astype(int) - photos.astronaut()[face]).mean() < 4
    assert pixels[alpha == 0][:, :3].max(initial=0) == 0


def test_the_job_says_where_its_time_went(live_stack: Stack) -> None:
    job = live_stack.api().post("/api/jobs/?wait=60", files={"image": ("a.jpg", photos.encoded("JPEG"))}).json()

    timings = job["images"][0]["timings_ms"]
    assert {"queue", "decode", "model", "post", "encode", "total"} <= set(timings)
    assert timings["model"] > 0
    assert timings["total"] >= timings["decode"] + timings["model"] + timings["post"] + timings["encode"] - 1


@needs("unet")
def test_unet_single_answers_the_same_photo(live_stack: Stack) -> None:
    api = live_stack.api()

    answer = api.post("/api/matting/single", files={"image": ("a.png", photos.encoded("PNG"))}).json()

    assert answer["status"] == "success"
    assert answer["output_size"] == [512, 512]
    alpha = np.asarray(Image.open(io.BytesIO(api.get(answer["result_url"]).content)))[..., 3] / 255
    assert _mean(alpha, FACE) > 0.9
    assert _mean(alpha, WALL) < 0.1


def test_nobody_opens_a_result_without_key_or_signature(live_stack: Stack) -> None:
    api = live_stack.api()
    job = api.post("/api/jobs/?wait=60", files={"image": ("a.jpg", photos.encoded("JPEG"))}).json()
    link = _link(job, "cutout")
    _, charlies_secret = live_stack.create_key(team="Print shop")

    assert live_stack.api("").get(link.partition("?")[0]).status_code == 401
    assert live_stack.api("").get(link.replace("signature=", "signature=x")).status_code in (401, 403)
    assert live_stack.api(charlies_secret).get(link.partition("?")[0]).status_code == 404
    assert live_stack.api(charlies_secret).get(f"/api/jobs/{job['id']}/").status_code == 404


def _link(job: dict, kind: str) -> str:
    return next(file["url"] for file in job["images"][0]["files"] if file["kind"] == kind)


def _mean(alpha: np.ndarray, place: tuple[int, int, int, int]) -> float:
    top, bottom, left, right = place
    return float(alpha[top:bottom, left:right].mean())
