"""Measurement of the time to finish pictures: each kind of shadow at 1920 x 1080, and a job of 200 pictures.

Run it with `python -m tests.bench.bench_finish`. To use fewer pictures, add their number, for example 20. The job runs
on a real site with the built-in model, once with three recipes and once without recipes. The difference between the
two times is the cost of the recipes.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image
from skimage import data

from segmentation.finish.recipe import Shadow, ShadowType
from segmentation.finish.shadows import reflection, shadow_opacity
from tests.bench.figures import Figure
from tests.bench.sizes import Sizes
from tests.stack import Stack, running_stack

SIZE = (1920, 1080)
ROUNDS = 15
RECIPES = ("amazon-main", "shopify-square", "instagram-square")
MOST_MS = 40.0  # the limit for a shadow at 1080p


def bottle_alpha() -> np.ndarray:
    """Return the alpha of an upright subject in the middle, (1080, 1920) uint8."""
    alpha = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.ellipse(alpha, (960, 620), (230, 380), 0, 0, 360, 255, -1)
    cv2.rectangle(alpha, (880, 120), (1040, 420), 255, -1)
    return cv2.GaussianBlur(alpha, (0, 0), 3)


def shadow_times_ms() -> dict[str, list[float]]:
    """Render each kind of shadow several times, and return the times in milliseconds by kind.

    Each round measures all kinds, so that other load on the machine affects all of them equally.
    """
    alpha = bottle_alpha()
    rgb = np.full((*alpha.shape, 3), 120, np.uint8)

    def step(kind: ShadowType) -> Callable[[], object]:
        shadow = Shadow(type=kind)
        if kind is ShadowType.REFLECTION:
            return lambda: reflection(rgb, alpha, shadow)
        return lambda: shadow_opacity(alpha, shadow)

    steps = {kind.value: step(kind) for kind in ShadowType}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, run in steps.items():
            started = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - started) * 1000)
    return times


def pictures(count: int) -> list[bytes]:
    """Return `count` different photos of 640 x 640 pixels as JPEG files."""
    photo = cv2.resize(data.astronaut(), (840, 840), interpolation=cv2.INTER_CUBIC)
    found = []
    for number in range(count):
        left, top = number % 20 * 10, number // 20 * 10
        stream = io.BytesIO()
        Image.fromarray(photo[top : top + 640, left : left + 640]).save(stream, "JPEG", quality=90)
        found.append(stream.getvalue())
    return found


def job_s(stack: Stack, photos: list[bytes], recipes: tuple[str, ...]) -> tuple[float, int]:
    """Submit one job and wait for its end; return its time in seconds and the number of files that recipes have made.

    recipes: the names of the recipes that the job applies; empty for none.
    """
    api = stack.api()
    files = [("image", (f"{number}.jpg", photo, "image/jpeg")) for number, photo in enumerate(photos)]
    started = time.perf_counter()
    job = api.post("/api/jobs/", files=files, data={"recipe": list(recipes)}, timeout=600).json()
    while job["status"] not in ("succeeded", "failed"):
        job = api.get(f"/api/jobs/{job['id']}/?wait=60&images_page_size=500", timeout=120).json()
    took_s = time.perf_counter() - started
    assert job["images_succeeded"] == len(photos), f"{job['images_failed']} pictures failed"
    kinds = [file["kind"] for image in job["images"] for file in image["files"]]
    return took_s, kinds.count("finished")


def figures(sizes: Sizes) -> list[Figure]:
    found = [
        Figure(f"finish.shadow.{name}", f"shadow {name}, 1920 x 1080", statistics.median(values), "ms", MOST_MS)
        for name, values in shadow_times_ms().items()
    ]
    photos = pictures(sizes.finished)
    with running_stack(MATTING_WORKERS="1", WEB_PROCESSES="1") as stack:
        plain_s, _ = job_s(stack, photos, ())
        finished_s, files = job_s(stack, photos, RECIPES)
    what = f"a job of {len(photos)} pictures"
    return [
        *found,
        Figure("finish.plain", f"{what} without recipes", plain_s, "s"),
        Figure("finish.recipes", f"{what} with {len(RECIPES)} recipes", finished_s, "s"),
        Figure("finish.file", "one finished file", (finished_s - plain_s) / max(files, 1) * 1000, "ms"),
    ]
