"""A replacement for the system clock. Tests can move it forward."""

from __future__ import annotations

import datetime as dt


class Clock:
    """A replacement for django.utils.timezone.now. It starts at the real time, and tests can move it forward."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)
