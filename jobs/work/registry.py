"""Registry of background tasks by name. A request can send a task without importing the code that runs the task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., object])
_functions: dict[str, Callable[..., object]] = {}


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of background task.

    The module that sends a task also defines its Task object. The function that runs the task is registered with the
    decorator `runs`. `jobs.work.serving` imports the modules of these functions.
    timeout_s: the time limit of one run in seconds; None means the time limit of a picture.
    """

    name: str
    timeout_s: int | None = None


def runs(task: Task) -> Callable[[_Function], _Function]:
    """Return a decorator that registers a function to run `task`."""

    def register(function: _Function) -> _Function:
        _functions[task.name] = function
        return function

    return register


def run_task(name: str, *args: Any, **values: Any) -> None:
    """Run the task with this name; raise KeyError if no function is registered for it."""
    _functions[name](*args, **values)
