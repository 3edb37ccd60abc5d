"""Profile of the picture processing without the model: `python -m tests.bench.profile [PICTURES]`.

The program prints the functions that use the most processor time, and the share of each stage of the processing. The
time of a function includes the functions that it calls.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from collections import Counter

from segmentation.image import Limits
from segmentation.options import CutoutOptions
from segmentation.pipeline import cut_out
from tests.bench import mixed
from tests.bench.steps import Ellipse

SHOWN = 25


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    photos = [mixed.picture(mixed.FULL_HD, number) for number in range(count)]
    engine, limits, options = Ellipse(), Limits(), CutoutOptions()
    cut_out(photos[0], options, engine, limits)
    spent: Counter[str] = Counter()
    profiler = cProfile.Profile()
    profiler.enable()
    for photo in photos:
        spent.update(cut_out(photo, options, engine, limits).timings_ms)
    profiler.disable()
    total = sum(spent.values())
    print({stage: f"{ms / total:.0%}" for stage, ms in spent.items()}, f"{total / count:.0f} ms a picture")
    stats = pstats.Stats(profiler)
    stats.sort_stats("cumulative").print_stats("segmentation", SHOWN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
