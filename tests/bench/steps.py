"""Measurement of the steps that process a 1920 x 1080 photo, compared with the same steps in common libraries."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from segmentation.compose import render_thumbnail
from segmentation.encode import encode_alpha, encode_jpeg, encode_png, encode_webp, join_alpha, read_alpha
from segmentation.engines.base import Matte
from segmentation.foreground import decontaminate
from segmentation.image import Limits, decode, probe
from segmentation.options import CutoutOptions
from segmentation.pipeline import cut_out, render_variant
from segmentation.postprocess import shape_alpha
from segmentation.refine import refine
from segmentation.resizing import enlarge
from tests.bench.figures import Figure
from tests.bench.sizes import Sizes
from tests.segmentation.pictures import astronaut, encoded

SIZE = (1920, 1080)
ROUNDS = 15
_NOTES = {"encode PNG, RGBA": "rival: OpenCV, level 1", "decode (JPEG)": "rival: Pillow"}


class Ellipse:
    """A fake inference engine that takes almost no time and finds a soft ellipse in the middle of each picture."""

    name, version, runtime, takes_points = "ellipse", "0", "none", False

    def auto(self, rgb: np.ndarray) -> Matte:
        drawn = np.zeros((320, 320), np.float32)
        cv2.ellipse(drawn, (160, 160), (90, 120), 20, 0, 360, 1.0, -1)
        return Matte(cv2.GaussianBlur(drawn, (0, 0), 3))


def pillow_rgb(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def opencv_png(rgba: np.ndarray) -> bytes:
    return cv2.imencode(".png", rgba, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def measure(rounds: int, steps: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the times of each step in milliseconds.

    Each round runs all steps, so that other load on the machine affects all steps equally.
    """
    times_ms: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start_s = time.perf_counter()
            step()
            times_ms[name].append((time.perf_counter() - start_s) * 1000)
    return times_ms


def figures(sizes: Sizes) -> list[Figure]:
    """Measure each step of the processing, and two of these steps in other libraries, and return the figures."""
    rgb = cv2.resize(astronaut(), SIZE, interpolation=cv2.INTER_CUBIC)
    data = encoded(rgb, "JPEG", quality=90)
    limits, engine = Limits(), Ellipse()
    small = engine.auto(rgb).alpha
    alpha = refine(small, rgb)
    shown = shape_alpha(alpha, CutoutOptions())
    rgba = join_alpha(rgb, shown)
    stored = encode_alpha(alpha)
    times_ms = measure(
        ROUNDS if sizes.single >= ROUNDS else sizes.single,
        {
            "probe (JPEG)": lambda: probe(data, limits),
            "decode (JPEG)": lambda: decode(data, limits),
            "enlarge bilinearly": lambda: enlarge(small, SIZE[1], SIZE[0]),
            "refine": lambda: refine(small, rgb),
            "shape alpha": lambda: shape_alpha(alpha, CutoutOptions(erosion=1, feathering=True)),
            "decontaminate": lambda: decontaminate(rgb, alpha),
            "encode alpha, 16 bit": lambda: encode_alpha(alpha),
            "read alpha, 16 bit": lambda: read_alpha(stored),
            "encode PNG, RGBA": lambda: encode_png(rgba),
            "… OpenCV, level 1": lambda: opencv_png(rgba),
            "Pillow's JPEG": lambda: pillow_rgb(data),
            "encode JPEG": lambda: encode_jpeg(rgb),
            "encode WebP, RGBA": lambda: encode_webp(rgba),
            "thumbnail": lambda: render_thumbnail(rgb, shown),
            "cut_out, model left out": lambda: cut_out(data, CutoutOptions(), engine, limits),
            "render_variant": lambda: render_variant(data, stored, CutoutOptions(), limits),
        },
    )
    medians = {name: statistics.median(values_ms) for name, values_ms in times_ms.items()}
    rivals = {"encode PNG, RGBA": medians.pop("… OpenCV, level 1"), "decode (JPEG)": medians.pop("Pillow's JPEG")}
    return [
        Figure(f"steps.{name}", name, median_ms, "ms", rival=rivals.get(name), note=_NOTES.get(name, ""))
        for name, median_ms in medians.items()
    ]
