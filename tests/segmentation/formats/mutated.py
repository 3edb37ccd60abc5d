"""Files with reproducible damage, and a check that the decoder returns a picture or raises an ImageError.

`python -m tests.segmentation.formats.mutated 50000` checks 50000 damaged files and prints the faults. It uses separate
processes, so that it also detects crashes of decoders.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache

from segmentation.errors import ImageError
from segmentation.image import Limits, decode, probe
from tests.segmentation.formats import rows

LIMITS = Limits(max_pixels=4_000_000)
MAX_SEED_BYTES = 60_000
BATCH = 250
SLOW_S = 10  # seconds of processor time for two readings of a file of at most 4 megapixels
STUCK_S = 900
_INTERESTING = (0, 1, 2, 7, 8, 16, 32, 64, 127, 128, 254, 255)
_WIDE = (0, 1, 255, 256, 32_767, 32_768, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1)


@cache
def seeds() -> tuple[bytes, ...]:
    """Return the valid files from which `mutated` makes damaged files: about six for each row of docs/formats.md."""
    found = []
    for row in rows.ROWS:
        files = (file if isinstance(file, bytes) else file.data for file in row.files())
        small = [data for data in files if len(data) <= MAX_SEED_BYTES]
        found += small[:: max(1, len(small) // 6)][:6]
    return tuple(found)


def mutated(number: int) -> bytes:
    """Return the damaged file with this number; the same number gives the same file."""
    chance = random.Random(number)
    data = bytearray(chance.choice(seeds()))
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice(_DAMAGES)(data, chance)
        if not data:
            return b"\0"
    return bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    """Return a random position in a file. Positions near the start are more frequent, because the headers are there."""
    return chance.randrange(min(len(data), chance.choice((32, 512, 4096, 1 << 30, 1 << 30, 1 << 30))))


def _flip(data: bytearray, chance: random.Random) -> None:
    data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, chance: random.Random) -> None:
    data[_place(data, chance)] = chance.choice(_INTERESTING)


def _overwrite_wide(data: bytearray, chance: random.Random) -> None:
    place, size = _place(data, chance), chance.choice((2, 4))
    value = chance.choice(_WIDE) & (1 << 8 * size) - 1
    data[place : place + size] = value.to_bytes(size, chance.choice(("big", "little")))


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _drop(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    del data[place : place + chance.choice((1, 2, 4, 16, 200))]


def _repeat(data: bytearray, chance: random.Random) -> None:
    place, size = _place(data, chance), chance.choice((1, 4, 16, 200))
    data[place:place] = data[place : place + size] * chance.choice((1, 2, 20))


def _splice(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(seeds())
    place = _place(data, chance)
    start = chance.randrange(len(other))
    data[place:] = other[start:]


_DAMAGES = (_flip, _flip, _overwrite, _overwrite, _overwrite_wide, _overwrite_wide, _cut, _drop, _repeat, _splice)


def answer(data: bytes) -> tuple[object, ...]:
    """Read a file and return the outcome: the name and text of the error, or the picture's properties.

    The properties are format, size, a checksum of the pixels, and notes. Exceptions other than ImageError are raised.
    """
    try:
        found = probe(data, LIMITS)
    except ImageError as error:
        return "refused", type(error).__name__, error.message
    try:
        picture = decode(data, LIMITS)
    except ImageError as error:
        return "refused when decoded", type(error).__name__, error.message
    alpha = b"" if picture.alpha is None else picture.alpha.tobytes()
    pixels = zlib.crc32(alpha, zlib.crc32(picture.rgb.tobytes()))
    assert (found.width, found.height) == picture.rgb.shape[1::-1]
    return "read", found.format, picture.rgb.shape, pixels, picture.probe.notes


def check(number: int) -> str:
    """Read the damaged file with this number twice; return the outcome. Raise AssertionError if the outcomes differ."""
    data = mutated(number)
    first, second = answer(data), answer(data)
    assert first == second, (number, first, second)
    return str(first[0])


def check_batch(numbers: range) -> tuple[Counter[str], list[str]]:
    """Check the damaged files with these numbers; return the count of each outcome, and the faults."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    seeds()
    for number in numbers:
        started = time.process_time()
        try:
            counts[check(number)] += 1
        except Exception as error:  # any exception is a fault to report
            faults.append(f"{number}: {type(error).__name__}: {error}"[:300])
        if time.process_time() - started > SLOW_S:
            faults.append(f"{number}: took {time.process_time() - started:.0f} s")
    return counts, faults


def _batches(count: int) -> Iterator[range]:
    for start in range(0, count, BATCH):
        yield range(start, min(start + BATCH, count))


def main(count: int, processes: int = 2) -> int:
    """Check `count` damaged files, print the results and return the number of faults."""
    counts, faults = run(count, processes)
    print(f"{dict(counts)}, {len(faults)} faults", *faults, sep="\n", flush=True)  # noqa: T201
    return len(faults)


def run(count: int, processes: int = 2) -> tuple[Counter[str], list[str]]:
    """Check `count` damaged files in child processes; return the count of each outcome, and the faults.

    A child process that crashes is replaced.
    """
    context = multiprocessing.get_context("spawn")
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with context.Pool(processes, maxtasksperchild=20) as pool:
        waiting = [(batch, pool.apply_async(check_batch, (batch,))) for batch in _batches(count)]
        for batch, result in waiting:
            try:
                found, wrong = result.get(timeout=STUCK_S)
            except multiprocessing.TimeoutError:  # the pool replaces a process that died, but never returns its result
                found, wrong = Counter(), [f"{batch}: the process died or is stuck"]
            counts.update(found)
            faults += wrong
    return counts, faults


if __name__ == "__main__":
    sys.exit(min(1, main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)))
