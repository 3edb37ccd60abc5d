"""A clock that tests advance."""

from __future__ import annotations

import datetime as dt


class Clock:
    """A replacement for django.utils.timezone.now that starts at the real time."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)
