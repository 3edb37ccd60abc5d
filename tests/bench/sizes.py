"""The extent of the benchmark: full, or small to check quickly that the benchmark works."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sizes:
    """The numbers of requests, pictures and jobs in the benchmark.

    one_by_one: the number of pictures of the batch that are also sent one at a time. clients: a dict from the number of
    clients to the number of their requests. seeded: the number of jobs that `seed_jobs` writes; the database copies
    them.
    """

    single: int = 20
    large_rounds: int = 3
    batch: int = 200
    one_by_one: int = 56
    clients: dict[int, int] = field(default_factory=lambda: {1: 24, 8: 64, 32: 96, 128: 160})
    beside: int = 1000
    interactive: int = 20
    poll_batch: int = 48
    slider: int = 12
    drops: int = 9
    growth: int = 2000
    finished: int = 200
    scaling: int = 64
    rival_requests: int = 10
    rival_folder: int = 12
    sqlite_jobs: int = 100_000
    postgres_jobs: int = 1_000_000
    seeded: int = 10_000


QUICK = Sizes(
    single=3,
    large_rounds=1,
    batch=8,
    one_by_one=3,
    clients={1: 2, 8: 8},
    beside=40,
    interactive=2,
    poll_batch=4,
    slider=3,
    drops=2,
    growth=12,
    finished=3,
    scaling=4,
    rival_requests=1,
    rival_folder=2,
    sqlite_jobs=600,
    postgres_jobs=900,
    seeded=300,
)
