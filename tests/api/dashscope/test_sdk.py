"""Tests that the vendor's unmodified package `dashscope` works with the running site."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import dashscope
import numpy as np
import pytest
import requests
from dashscope import ImageSynthesis
from dashscope.common.error import UploadFileException
from PIL import Image

from tests import photos
from tests.api.picture_server import PictureServer
from tests.stack import Stack

pytestmark = pytest.mark.e2e
MODEL = "image-instance-segmentation"


_WITHOUT_RATES = """
from jobs.models import Quota, Team
team = Team.objects.get(name="First team")
unlimited = {"submits_per_second": None, "queries_per_second": None}
Quota.objects.update_or_create(team=team, defaults={"dialects": {"dashscope": unlimited}})
"""


@pytest.fixture(scope="module", autouse=True)
def _no_rate_limits(live_stack: Stack) -> None:
    """Switch off the rate limit of the running site. It is two tasks per second, like the limit of the vendor's API."""
    live_stack.manage("shell", "-v", "0", "-c", _WITHOUT_RATES)


@pytest.fixture
def key(live_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> str:
    """Configure the SDK for the test site, and return the API key."""
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{live_stack.base_url}/api/v1")
    monkeypatch.setattr(dashscope, "api_key", live_stack.secret)
    return live_stack.secret


def submitted(**values: Any) -> Any:
    return ImageSynthesis.async_call(model=MODEL, prompt="x", task="image2image", **values)


def picture_at(url: str) -> np.ndarray:
    """Download the picture at a URL without a key, and return it."""
    response = requests.get(url, timeout=60)
    response.raise_for_status()
    return np.asarray(Image.open(io.BytesIO(response.content)))


@pytest.mark.usefixtures("key")
def test_a_task_is_submitted_waited_for_and_fetched(picture_server: PictureServer) -> None:
    url = picture_server.add("astronaut.jpg", photos.encoded("JPEG", quality=90))

    task = submitted(extra_input={"image_url": url})
    assert (task.status_code, task.output.task_status) == (200, "PENDING")
    answer = ImageSynthesis.wait(task)

    assert (answer.status_code, answer.output.task_status) == (200, "SUCCEEDED"), answer
    assert answer.usage.image_count == 1
    ids, shown = picture_at(answer.output.output_image_url), picture_at(answer.output.output_vis_image_url)
    assert (ids.shape, shown.shape) == ((512, 512), (512, 512, 3))
    # The tests of the model check how well people are found. This test checks that all three results agree.
    assert answer.output.people > 0
    assert sorted(set(np.unique(ids)) - {0}) == [person["id"] for person in answer.output.instances]
    assert answer.output.people == len(answer.output.instances)
    fetched = ImageSynthesis.fetch(task)
    assert fetched.output.task_id == task.output.task_id
    assert fetched.output.end_time == answer.output.end_time


@pytest.mark.usefixtures("key")
def test_call_does_all_of_it_and_goes_to_the_other_path_when_it_is_told_no_task(picture_server: PictureServer) -> None:
    url = picture_server.add("astronaut.jpg", photos.encoded("JPEG", quality=90))

    answer = ImageSynthesis.call(model=MODEL, prompt="x", extra_input={"image_url": url})

    assert answer.output.task_status == "SUCCEEDED", answer


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("argument", ["base_image_url", "ref_img", "images"])
def test_a_file_is_uploaded_by_the_sdk(tmp_path: Path, argument: str) -> None:
    path = tmp_path / "a person.jpg"
    path.write_bytes(photos.encoded("JPEG", quality=90))
    url = f"file://{path}"

    answer = ImageSynthesis.wait(submitted(**{argument: [url] if argument == "images" else url}))

    assert answer.output.task_status == "SUCCEEDED", answer
    assert picture_at(answer.output.output_image_url).shape == (512, 512)


@pytest.mark.usefixtures("key")
def test_a_file_that_is_no_picture_is_told_by_the_upload(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a picture")

    with pytest.raises(UploadFileException, match="read image error"):
        submitted(base_image_url=f"file://{path}")


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("name", "data", "code", "message"),
    [
        ("small.png", photos.encode(np.zeros((300, 400, 3), np.uint8), "PNG"), "InvalidParameter", "each side needs"),
        ("text.jpg", b"not a picture", "InvalidParameter.ImageFormat", "read image error"),
        ("gone.jpg", None, "InvalidParameter.FileDownload", "download for input_image error"),
    ],
)
def test_a_picture_that_is_no_good_fails_its_task(
    picture_server: PictureServer, name: str, data: bytes | None, code: str, message: str
) -> None:
    url = picture_server.add(name, data) if data else f"http://127.0.0.1:{picture_server.port}/{name}"

    answer = ImageSynthesis.wait(submitted(extra_input={"image_url": url}))

    assert (answer.status_code, answer.output.task_status, answer.output.code) == (200, "FAILED", code)
    assert message in answer.output.message


@pytest.mark.usefixtures("key")
def test_a_waiting_task_is_cancelled_and_a_running_one_is_not(picture_server: PictureServer) -> None:
    jpeg = photos.encoded("JPEG", quality=90)
    with picture_server.keeping_back("slow.jpg", jpeg) as slow_url:
        running = submitted(extra_input={"image_url": slow_url})
        picture_server.wait_until_asked_for("slow.jpg")
        waiting = submitted(extra_input={"image_url": picture_server.add("next.jpg", jpeg)})

        refused, cancelled = ImageSynthesis.cancel(running), ImageSynthesis.cancel(waiting)

        assert ImageSynthesis.fetch(running).output.task_status == "RUNNING"
    assert (refused.status_code, refused.code) == (400, "UnsupportedOperation")
    assert refused.message == "Failed to cancel the task, please confirm if the task is in PENDING status."
    assert cancelled.status_code == 200
    assert ImageSynthesis.wait(waiting).output.task_status == "CANCELED"
    assert ImageSynthesis.wait(running).output.task_status == "SUCCEEDED"


@pytest.mark.usefixtures("key")
def test_the_list_holds_the_task(live_stack: Stack, picture_server: PictureServer) -> None:
    url = picture_server.add("astronaut.jpg", photos.encoded("JPEG", quality=90))
    task = submitted(extra_input={"image_url": url})
    ImageSynthesis.wait(task)

    page = ImageSynthesis.list(status="SUCCEEDED", model_name=MODEL, page_size=5)

    assert page.status_code == 200
    newest = page.output["data"][0]
    assert (newest["task_id"], newest["status"]) == (task.output.task_id, "SUCCEEDED")
    assert newest["api_key_id"] == live_stack.public_id
    assert newest["gmt_create"] <= newest["start_time"] <= newest["end_time"]


@pytest.mark.usefixtures("key")
def test_a_task_that_is_not_there_is_unknown() -> None:
    answer = ImageSynthesis.wait("86ecf553-d340-4e21-af6e-a0c6a421c010")

    assert (answer.status_code, answer.output.task_status) == (200, "UNKNOWN")


@pytest.mark.usefixtures("key")
def test_a_wrong_key_is_told(picture_server: PictureServer) -> None:
    answer = submitted(api_key="sk-wrong", extra_input={"image_url": f"http://127.0.0.1:{picture_server.port}/a.jpg"})

    assert (answer.status_code, answer.code) == (401, "InvalidApiKey")
    assert answer.message == "Invalid API-key provided."
