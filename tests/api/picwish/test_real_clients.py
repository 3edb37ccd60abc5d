"""Tests of the running site with real HTTP clients of the PicWish API.

The clients are curl, fetch in Node, requests, three polling loops, and receivers of callbacks.
"""

from __future__ import annotations

import io
import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from playwright._impl._driver import compute_driver_executable
from standardwebhooks import Webhook as Receiver

from tests import photos
from tests.api.picture_server import PictureServer
from tests.jobs.site import Site, answer
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture
def picture_url(picture_server: PictureServer) -> str:
    return picture_server.add("photo.jpg", photos.encoded("JPEG", quality=90))


def opened(url: str) -> np.ndarray:
    response = requests.get(url, timeout=30)
    assert response.status_code == 200
    return np.asarray(Image.open(io.BytesIO(response.content)))


def node(stack: Stack, command: str, argument: str) -> Any:
    """Run a command of clients.mjs with the Node program that Playwright installs, and return its JSON output."""
    program = str(compute_driver_executable()[0])
    script = str(Path(__file__).with_name("clients.mjs"))
    arguments = [program, script, command, stack.base_url, stack.secret, argument]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_complete(data: dict[str, Any]) -> None:
    assert (data["state"], data["state_detail"], data["progress"], data["err_info"]) == (1, "Complete", 100, "")
    assert (data["image_width"], data["image_height"]) == (512, 512)
    assert opened(data["image"]).shape == (512, 512, 4)


def test_the_curl_line_is_answered_with_a_picture(live_stack: Stack, picture_url: str) -> None:
    command = ["curl", "-s", "-X", "POST", f"{live_stack.base_url}/task/pic/segmentation"]
    command += ["-H", f"Authorization: Bearer {live_stack.secret}", "-F", f"image_url={picture_url}"]
    command += ["-F", "sync=1", "-F", "output_type=2", "-F", "format=png"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    body = json.loads(done.stdout)
    assert body["status"] == 200
    assert_complete(body["data"])
    assert body["data"]["download_time"] >= 0
    assert body["data"]["time_elapsed"] > 0


def test_the_fetch_form_is_answered_with_a_picture(live_stack: Stack, picture_url: str) -> None:
    assert_complete(node(live_stack, "fetch", picture_url)["data"])


def test_the_requests_form_with_the_url_among_the_files_is_answered(live_stack: Stack, picture_url: str) -> None:
    response = requests.post(
        f"{live_stack.base_url}/task/pic/segmentation",
        headers={"Authorization": f"Bearer {live_stack.secret}"},
        files={"image_url": (None, picture_url)},
        data={"sync": "1", "output_type": "2", "format": "png"},
        timeout=60,
    )

    assert_complete(response.json()["data"])


def test_the_patient_poller_looks_every_second_for_thirty(live_stack: Stack, picture_url: str) -> None:
    headers = {"X-API-KEY": live_stack.secret}
    url = f"{live_stack.base_url}/api/tasks/visual/segmentation"
    task_id = requests.post(url, headers=headers, data={"image_url": picture_url}, timeout=30).json()["data"]["task_id"]
    pause, seen = threading.Event(), []

    for _ in range(30):
        seen.append(requests.get(f"{url}/{task_id}", headers=headers, timeout=30).json()["data"])
        if seen[-1]["state"] == 1 or seen[-1]["state"] < 0:
            break
        pause.wait(1)

    assert_complete(seen[-1])
    assert all(("image" in data) == (data["state"] == 1) == (data["progress"] == 100) for data in seen)


@pytest.mark.parametrize("poller", ["untilPicture", "untilComplete"])
def test_the_pollers_end_by_themselves_with_the_whole_result(live_stack: Stack, picture_url: str, poller: str) -> None:
    assert_complete(node(live_stack, poller, picture_url))


@pytest.mark.parametrize("poller", ["untilPicture", "untilComplete"])
def test_the_pollers_end_by_themselves_when_it_fails(
    live_stack: Stack, picture_server: PictureServer, poller: str
) -> None:
    data = node(live_stack, poller, picture_server.add("page.html", b"<html>no picture</html>"))

    assert (data["state"], data["state_detail"]) == (-7, "invalid file")


@pytest.mark.parametrize(
    ("url", "state"), [("http://10.0.0.1/private.png", -3), ("{server}/missing.png", -3), ("{server}/empty.png", -7)]
)
def test_what_cannot_be_fetched_is_a_state(
    live_stack: Stack, picture_server: PictureServer, url: str, state: int
) -> None:
    picture_server.add("empty.png", b"")
    url = url.format(server=f"http://127.0.0.1:{picture_server.port}")

    body = live_stack.api().post("/task/pic/segmentation", data={"image_url": url, "sync": 1}).json()

    assert body["data"]["state"] == state


def test_the_callback_is_signed_and_says_what_the_poll_says(live_stack: Stack, png_bytes: bytes) -> None:
    receiver = Site({"/hook": answer(b"ok")})
    receiver.thread.start()
    api = live_stack.api()
    secret = api.get("/api/webhooks/callback-secret").json()["secret"]

    submitted = api.post(
        "/task/pic/segmentation", files={"image_file": png_bytes}, data={"callback_url": receiver.url("/hook")}
    )
    wait_for(lambda: "/hook" in receiver.paths, timeout_s=60, what="no callback came")
    receiver.server.shutdown()
    receiver.server.server_close()

    _, _, headers, message = next(request for request in receiver.requests if request[1] == "/hook")
    told = Receiver(secret).verify(message, headers)
    task_id = submitted.json()["data"]["task_id"]
    polled = api.get(f"/task/{task_id}").json()
    assert {**told["data"], "image": ""} == {**polled["data"], "image": ""}
    assert_complete(told["data"])
