"""Tests of the example clients of the vendor's guide with a running site, a real worker and the real model."""

from __future__ import annotations

import http.server
import io
import threading
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests
from PIL import Image

from tests import photos
from tests.api.unet.guide_client import GuideClient, decode_alpha_map
from tests.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture
def client(live_stack: Stack) -> GuideClient:
    return GuideClient(live_stack.base_url, live_stack.secret)


@pytest.fixture
def photo(tmp_path: Path, jpeg_bytes: bytes) -> Path:
    path = tmp_path / "test_input.jpg"
    path.write_bytes(jpeg_bytes)
    return path


def opened(url: str) -> np.ndarray:
    response = requests.get(url, timeout=30)
    assert response.status_code == 200
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_the_single_script_gets_its_cutout(client: GuideClient, photo: Path) -> None:
    answer = client.single_with_patience(photo, bg_color="#000000", alpha_threshold=20, edge_erosion=3)

    assert answer["status"] == "success"
    cutout, mask = opened(answer["result_url"]), opened(answer["alpha_url"])
    assert cutout.shape == (512, 512, 4)
    assert np.array_equal(cutout[..., 3], mask)
    assert mask[100:200, 190:260].mean() > 200  # her face
    assert mask.mean() < 200  # and only a part of the flag and the shuttle behind her


def test_the_alpha_script_reads_the_map_and_the_parameters_follow_from_it(client: GuideClient, photo: Path) -> None:
    raw = client.single(photo, accept="application/json+alpha")
    alpha = decode_alpha_map(raw["alpha_map_base64"], tuple(raw["shape"]))
    answer = client.single(photo, alpha_threshold=20, edge_erosion=3)

    assert alpha.shape == (512, 512)
    assert 0.0 <= alpha.min() < 0.05
    assert 0.9 < alpha.max() <= 1.0
    hard = (alpha > 20 / 50.0).astype(np.uint8) * 255
    expected = cv2.GaussianBlur(cv2.erode(hard, np.ones((4, 4), np.uint8)), (5, 5), 0)
    assert np.array_equal(opened(answer["alpha_url"]), expected)


def test_the_batch_script_ends_by_itself_with_a_zip(client: GuideClient, live_stack: Stack, jpeg_bytes: bytes) -> None:
    folder = live_stack.data_dir / "media" / "inputs" / "shop"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(jpeg_bytes)
    (folder / "readme.txt").write_text("no picture")

    task = client.batch("/root/inputs/shop/", "/root/outputs/", alpha_threshold=15, edge_erosion=2)

    assert (task["status"], task["processed"], task["failed"]) == ("completed", 3, 1)
    submitted = client.seen[0]
    assert submitted["status"] == "submitted"
    assert submitted["input_count"] == 4
    assert submitted["estimated_time_sec"] >= 1
    assert submitted["output_dir"] == task["output_dir"] == f"/root/outputs/{submitted['task_id']}/"
    outputs = live_stack.data_dir / "media" / "outputs"
    written = sorted(path.name for path in (outputs / submitted["task_id"]).iterdir())
    assert len(written) == 6
    with zipfile.ZipFile(outputs / Path(task["zip_path"]).name) as archive:
        assert sorted(archive.namelist()) == written
    downloaded = requests.get(task["zip_url"], timeout=30).content
    assert downloaded == (outputs / Path(task["zip_path"]).name).read_bytes()
    assert 0 < task["total_time_ms"] < 120_000


def test_a_folder_outside_the_roots_is_refused_by_the_running_site(client: GuideClient) -> None:
    assert client.batch("/etc/", "/root/outputs/") is None


def test_a_key_without_the_scope_reads_no_folder(live_stack: Stack) -> None:
    _, secret = live_stack.create_key(team="Readers", scopes=("submit", "read"))

    answer = live_stack.api(secret).post("/api/matting/batch", json={"input_dir": ".", "output_dir": "."})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_the_retry_of_the_script_survives_a_server_that_hangs_up_first(
    client: GuideClient, live_stack: Stack, photo: Path
) -> None:
    calls: list[str] = []

    class HangUpOnce(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(self.path)
            if len(calls) == 1:
                self.connection.close()
                return
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = requests.post(live_stack.base_url + self.path, data=body, headers=dict(self.headers), timeout=60)
            self.send_response(answer.status_code)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), HangUpOnce) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        flaky = GuideClient(f"http://127.0.0.1:{proxy.server_port}", live_stack.secret)
        answer = flaky.single_with_patience(photo)
        proxy.shutdown()

    assert answer["status"] == "success"
    assert len(calls) == 2


def test_health_and_docs_answer_as_the_guide_checks_them(live_stack: Stack) -> None:
    assert requests.get(f"{live_stack.base_url}/health", timeout=10).json()["status"] == "ok"
    assert "swagger" in requests.get(f"{live_stack.base_url}/docs", timeout=10, headers={}).text.lower()


def test_twenty_at_once_get_twenty_names(client: GuideClient, live_stack: Stack) -> None:
    # Send twenty different pictures: the same picture sent twenty times would count as one repeated request.
    small = [photos.encode(photos.astronaut()[row : row + 96, 180:276], "PNG") for row in range(20)]
    answers: list[requests.Response] = []

    def post(picture: bytes) -> None:
        answers.append(live_stack.api().post("/api/matting/single", files={"image": picture}))

    threads = [threading.Thread(target=post, args=(picture,)) for picture in small]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [200] * 20
    assert len({answer.json()["result_path"] for answer in answers}) == 20
