"""Test that a slow picture server does not delay the models."""

from __future__ import annotations

import pytest

from tests import photos
from tests.api.picture_server import serving_pictures
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def test_an_uploaded_picture_is_done_while_another_one_is_still_being_fetched(live_stack: Stack) -> None:
    api, jpeg = live_stack.api(), photos.encoded("JPEG", quality=90)
    with serving_pictures() as server:
        with server.keeping_back("slow.jpg", jpeg) as url:
            slow = api.post("/api/jobs/", json={"image_url": url}).json()["id"]
            server.wait_until_asked_for("slow.jpg")

            uploaded = api.post("/api/jobs/?wait=60", files={"image": ("a.jpg", jpeg)}).json()

            assert uploaded["status"] == "succeeded", uploaded
            assert api.get(f"/api/jobs/{slow}/").json()["status"] == "running"
        ended = api.get(f"/api/jobs/{slow}/?wait=60").json()
    assert ended["status"] == "succeeded", ended
    assert ended["images"][0]["timings_ms"]["fetch"] > 0
