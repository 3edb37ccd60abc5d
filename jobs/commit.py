"""Run functions after the commit of the current transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction


def after_commit(function: Callable[..., object], *args: Any, **values: Any) -> None:
    """Call `function` after the commit. Its exceptions are only logged, because the rows are already committed.

    The callback is a nested function instead of functools.partial, because Django logs a failing callback by
    `__qualname__`, which a partial does not have.
    """

    def call() -> None:
        function(*args, **values)

    transaction.on_commit(call, robust=True)
