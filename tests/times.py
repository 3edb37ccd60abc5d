"""The time of each test, and the list of those that `make test-fast` leaves out.

`make test-times` runs all tests with this module as a plugin, and writes the test functions that took longer than
LIMIT_S on average to SLOW_TESTS. `tests/conftest.py` marks these as slow. A new test is fast until the list is written
again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

SLOW_TESTS = Path(__file__).with_name("slow_tests.txt")
LIMIT_S = 0.05
CACHED = "keyline/times"  # the times of all functions in pytest's cache, to choose LIMIT_S


def function_of(node_id: str) -> str:
    """Return the node id of a test without its parameters."""
    return node_id.partition("[")[0]


def mark_slow(items: Iterable[pytest.Item]) -> None:
    """Mark the tests whose functions are in the list as slow."""
    slow = set(SLOW_TESTS.read_text().split())
    for item in items:
        if function_of(item.nodeid) in slow:
            item.add_marker(pytest.mark.slow)


class Times:
    """Pytest plugin that adds up the time of each test, including its fixtures, and writes the list at the end."""

    def __init__(self) -> None:
        self._spent_s: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._spent_s[report.nodeid] += report.duration

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        of_function: defaultdict[str, list[float]] = defaultdict(list)
        for node_id, spent_s in self._spent_s.items():
            of_function[function_of(node_id)].append(spent_s)
        if session.config.pluginmanager.hasplugin("cacheprovider"):
            session.config.cache.set(CACHED, of_function)
        slow = sorted(name for name, times in of_function.items() if sum(times) / len(times) > LIMIT_S)
        SLOW_TESTS.write_text("".join(f"{name}\n" for name in slow))


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin in the main process, which receives the reports of all test processes."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Times())
