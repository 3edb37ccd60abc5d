"""Threads that process parts of one picture in parallel.

NumPy, OpenCV and the encoders release Python's global interpreter lock, so these threads run at the same time. For
example, one thread encodes the alpha while another thread computes the colours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from segmentation.cpus import available_cpus

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_MOST_THREADS = 4  # more threads would have nothing to do
_BLOCK_PIXELS = 1 << 17  # a few float32 planes of this size fit into the cache of a processor core


def beside(work: Callable[..., _Result], *arguments: Any) -> Future[_Result]:
    """Start `work` with `arguments` in another thread and return its future.

    `work` must not call `beside` or `each` itself. Otherwise all threads of the pool could wait for each other.
    """
    return _threads().submit(work, *arguments)


def each(work: Callable[[_Item], object], items: Iterable[_Item]) -> None:
    """Call `work` with each item in parallel, the first one in this thread, and return when all calls are done.

    If calls raise exceptions, raise one of these exceptions after all calls are done. `items` must not be empty.
    """
    first, *others = items
    futures = [beside(work, item) for item in others]
    try:
        work(first)
    finally:
        results = [future.exception() for future in futures]
    for error in results:
        if error is not None:
            raise error


def row_blocks(height: int, width: int, *, multiple: int = 1) -> list[slice]:
    """Return slices that divide a picture's rows, in order, into blocks of about `_BLOCK_PIXELS` pixels.

    height, width: the picture's size in pixels.
    multiple: each slice starts at a multiple of this number of rows.
    """
    rows = max(1, _BLOCK_PIXELS // (width * multiple)) * multiple
    return [slice(start, min(start + rows, height)) for start in range(0, height, rows)]


@cache
def _threads() -> ThreadPoolExecutor:
    """Return this process's thread pool.

    The pool is created when this function is first called, because a forked process does not get the parent's threads.
    """
    return ThreadPoolExecutor(min(_MOST_THREADS, available_cpus()), thread_name_prefix="beside")
