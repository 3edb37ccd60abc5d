"""Run functions after the commit of the current transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction


def after_commit(function: Callable[..., object], *args: Any, **values: Any) -> None:
    """Call `function` with the other arguments after the commit of the current transaction.

    Exceptions of the function are only logged, because the rows are already committed. The callback is a nested
    function and not a functools.partial: Django logs a failing callback with its `__qualname__`, which a partial does
    not have.
    """

    def call() -> None:
        function(*args, **values)

    transaction.on_commit(call, robust=True)
