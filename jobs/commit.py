"""Functions that run after the commit of the current transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction


def after_commit(function: Callable[..., object], *args: Any, **values: Any) -> None:
    """Call `function` after the commit. Its exceptions are only logged, because the rows are already committed.

    The callback is a nested function, because Django logs a failing callback by its `__qualname__`, and a
    functools.partial has none.
    """

    def call() -> None:
        function(*args, **values)

    transaction.on_commit(call, robust=True)
