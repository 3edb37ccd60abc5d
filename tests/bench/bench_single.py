"""Measures consecutive pictures through UNet `single`, and the time of each stage: `make bench`."""

from __future__ import annotations

import statistics
import time

import cv2
from skimage import data

from tests import photos
from tests.stack import Stack, running_stack

REQUESTS = 20
WARM_UP_REQUESTS = 3
WIDTH, HEIGHT = 1920, 1080
STAGES = ("queue", "fetch", "decode", "model", "post", "encode", "total")


def main() -> None:
    with running_stack() as stack:
        workers = stack.api().get("/health").json()["workers"]
        model, runtime = workers[0]["model"], workers[0]["runtime"]
        print(f"{REQUESTS} requests, one after the other, JPEG of {WIDTH} x {HEIGHT}, {model} on {runtime}")
        waited_ms, timings_ms = measure(stack)
    print(f"{'as the client sees it':24}{describe(waited_ms)}")
    for stage in STAGES:
        print(f"{stage:24}{describe(timings_ms[stage])}")


def measure(stack: Stack) -> tuple[list[float], dict[str, list[float]]]:
    """Return in milliseconds how long each request took, and how long each of its stages took by the job's timings."""
    api = stack.api()
    content = photo()
    waited_ms = []
    for _ in range(WARM_UP_REQUESTS + REQUESTS):
        started = time.perf_counter()
        answer = api.post("/api/matting/single", files={"image": ("photo.jpg", content, "image/jpeg")}).json()
        waited_ms.append((time.perf_counter() - started) * 1000)
        if answer["status"] != "success":
            raise SystemExit(f"the request failed: {answer}")
    jobs = api.get(f"/api/jobs/?dialect=unet&page_size={REQUESTS}").json()["results"]
    timings = [job["images"][0]["timings_ms"] for job in jobs]
    return waited_ms[WARM_UP_REQUESTS:], {stage: [timing[stage] for timing in timings] for stage in STAGES}


def photo() -> bytes:
    """Return a real photo, enlarged to 1920 x 1080, as JPEG."""
    pixels = data.coffee()
    scale = max(WIDTH / pixels.shape[1], HEIGHT / pixels.shape[0])
    large = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[:HEIGHT, :WIDTH]
    return photos.encode(large, "JPEG", quality=90)


def describe(values_ms: list[float]) -> str:
    ordered = sorted(values_ms)
    return f"median {statistics.median(ordered):7.1f} ms   fastest {ordered[0]:7.1f}   slowest {ordered[-1]:7.1f}"


if __name__ == "__main__":
    main()
