"""Measure the processing of a 1920 x 1080 photo, step by step, and compare it with other libraries.

Run by `make bench`. Times on a shared machine vary; therefore compared steps are measured alternately in the same run.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from segmentation.compose import join_alpha, render_thumbnail
from segmentation.encode import encode_alpha, encode_jpeg, encode_png, encode_webp, quantize, read_alpha
from segmentation.foreground import decontaminate
from segmentation.image import Limits, decode, probe
from segmentation.options import CutoutOptions
from segmentation.pipeline import cut_out, render_variant
from segmentation.postprocess import shape_alpha
from segmentation.refine import enlarge, refine
from tests.fakes import FakeEngine
from tests.segmentation.pictures import astronaut, encoded

SIZE = (1920, 1080)
ROUNDS = 15


def pillow_png(rgba: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(rgba).save(stream, "PNG")
    return stream.getvalue()


def opencv_png(rgba: np.ndarray) -> bytes:
    return cv2.imencode(".png", rgba, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def measure(steps: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Run all steps once per round, so that other load of the machine affects all of them."""
    times_ms: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start_s = time.perf_counter()
            step()
            times_ms[name].append((time.perf_counter() - start_s) * 1000)
    return times_ms


def main() -> None:
    rgb = cv2.resize(astronaut(), SIZE, interpolation=cv2.INTER_CUBIC)
    data = encoded(rgb, "JPEG", quality=90)
    limits, engine = Limits(), FakeEngine((320, 320))
    small = engine.auto(rgb).alpha
    alpha = refine(small, rgb)
    values = quantize(alpha)
    shown = shape_alpha(alpha, CutoutOptions())
    rgba = join_alpha(rgb, shown)
    stored = encode_alpha(values)
    times_ms = measure(
        {
            "probe (JPEG)": lambda: probe(data, limits),
            "decode (JPEG)": lambda: decode(data, limits),
            "enlarge bilinearly": lambda: enlarge(small, SIZE[1], SIZE[0]),
            "refine": lambda: refine(small, rgb),
            "shape alpha": lambda: shape_alpha(alpha, CutoutOptions(erosion=1, feathering=True)),
            "decontaminate": lambda: decontaminate(rgb, alpha),
            "encode alpha, 16 bit": lambda: encode_alpha(values),
            "read alpha, 16 bit": lambda: read_alpha(stored),
            "encode PNG, RGBA": lambda: encode_png(rgba),
            "… OpenCV, level 1": lambda: opencv_png(rgba),
            "… Pillow": lambda: pillow_png(rgba),
            "encode JPEG": lambda: encode_jpeg(rgb),
            "encode WebP, RGBA": lambda: encode_webp(rgba),
            "thumbnail": lambda: render_thumbnail(rgb, shown),
            "cut_out, model left out": lambda: cut_out(data, CutoutOptions(), engine, limits),
            "render_variant": lambda: render_variant(data, stored, CutoutOptions(), limits),
        }
    )
    print = sys.stdout.write
    print(f"{'1920 x 1080':26}{'median ms':>10}{'least ms':>10}\n")
    for name, values_ms in times_ms.items():
        print(f"{name:26}{statistics.median(values_ms):10.1f}{min(values_ms):10.1f}\n")
    ours, theirs = (statistics.median(times_ms[name]) for name in ("encode PNG, RGBA", "… OpenCV, level 1"))
    sizes = f"{len(encode_png(rgba)) // 1024} KB against {len(opencv_png(rgba)) // 1024} KB"
    print(f"PNG: {theirs / ours:.1f} times as fast as OpenCV's fastest level, {sizes}\n")


if __name__ == "__main__":
    main()
