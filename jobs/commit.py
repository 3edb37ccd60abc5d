"""Stages 3 and 4: what waits for the commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction


def after_commit(deed: Callable[..., object], *args: Any, **values: Any) -> None:
    """Call `deed` when the transaction is committed; what it raises is logged, for the rows already stand.

    A plain function and no functools.partial: Django logs the fault by `__qualname__`, which a partial has not, and the
    AttributeError would reach the caller in the fault's place.
    """

    def call() -> None:
        deed(*args, **values)

    transaction.on_commit(call, robust=True)
