"""Tests of a worker's pool of loaded models: the models stay within a memory budget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jobs.inference.memory import is_out_of_memory
from jobs.inference.pool import Pool, Weights
from segmentation.engines.base import Engine
from segmentation.errors import InferenceFailed
from tests.fakes import FakeEngine

A, B, C = (Weights(Path(name)) for name in "abc")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def loads() -> list[str]:
    return []


@pytest.fixture
def pool(loads: list[str]) -> Pool:
    """Return a pool with space for two models of 100 MB each. A model is idle after 100 steps of the clock."""

    def load(weights: Weights) -> FakeEngine:
        loads.append(weights.path.name)
        return FakeEngine()

    return Pool(budget_bytes=200 * 2**20, idle_s=100, load=load, size=lambda _: 100 * 2**20, now=Clock())


def test_a_model_is_loaded_once(pool: Pool, loads: list[str]) -> None:
    assert pool.get(A) is pool.get(A)
    assert loads == ["a"]


def test_the_least_recently_used_model_makes_room(pool: Pool, loads: list[str]) -> None:
    for weights in (A, B, A, C, A, B):
        pool.get(weights)

    assert loads == ["a", "b", "c", "b"]


def test_a_model_over_the_budget_is_loaded_alone(loads: list[str], pool: Pool) -> None:
    pool.budget_bytes = 1

    pool.get(A)
    pool.get(B)

    assert len(pool.describe()) == 1


def test_a_load_blocks_neither_the_heartbeat_nor_other_models(pool: Pool, loads: list[str]) -> None:
    load, has_begun, may_end = pool._load, threading.Event(), threading.Event()

    def load_slowly(weights: Weights) -> Engine:
        if weights == B:
            has_begun.set()
            assert may_end.wait(20)
        return load(weights)

    pool.get(A)
    pool._load = load_slowly
    with ThreadPoolExecutor(2) as threads:
        engines = [threads.submit(pool.get, B) for _ in range(2)]
        try:
            assert has_begun.wait(20)
            other = without_waiting(lambda: (len(pool.describe()), pool.get(A)))
        finally:
            may_end.set()

    assert other[0] == 1
    assert engines[0].result() is engines[1].result()
    assert loads == ["a", "b"]


def without_waiting(work: Callable[[], Any]) -> Any:
    """Call `work` in a new thread and return its result; fail if the call does not end within 10 seconds."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result(timeout=10)


def test_a_model_that_is_being_loaded_counts_for_the_budget(pool: Pool) -> None:
    load = pool._load

    def load_another_meanwhile(weights: Weights) -> Engine:
        if weights == B:
            pool.get(C)
        return load(weights)

    pool.get(A)
    pool._load = load_another_meanwhile
    pool.get(B)

    assert pool.loaded(A) is None


def test_idle_models_are_unloaded_but_for_the_kept_one(pool: Pool, loads: list[str]) -> None:
    pool.get(A)
    pool.get(B)
    pool.keep(A)
    pool.idle_s = 0

    assert pool.unload_idle() == 1

    pool.get(A)
    assert loads == ["a", "b"]


def test_a_model_that_cannot_be_loaded_leaves_the_others_alone(pool: Pool) -> None:
    pool.get(A)

    def fail(weights: Weights) -> FakeEngine:
        raise InferenceFailed

    pool._load = fail
    with pytest.raises(InferenceFailed):
        pool.get(B)

    assert len(pool.describe()) == 1


@pytest.mark.parametrize(
    "cause",
    [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), RuntimeError("std::bad_alloc")],
)
def test_running_out_of_memory_is_recognised_behind_our_own_error(cause: Exception) -> None:
    error = InferenceFailed()
    error.__cause__ = cause

    assert is_out_of_memory(error)
    assert not is_out_of_memory(InferenceFailed("no"))
