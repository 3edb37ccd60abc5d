"""Comparison of responses with fixture files. A `<placeholder>` in a file matches a value that differs in each run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
_PATTERNS = {
    "<digits>": r"[1-9][0-9]{14,19}",
    "<uuid>": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "<base64 png>": r"iVBORw0KGgo[A-Za-z0-9+/]+=*",
    "<time>": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}",
    "<link>": r"http://\S+\?until=\d+&signature=\S+",
    "<text>": r"(?s).+",
}
_CHECKS = {
    "<milliseconds>": lambda value: isinstance(value, int) and value > 1_600_000_000_000,
    "<count>": lambda value: isinstance(value, int) and value > 0,
    "<whole number>": lambda value: type(value) is int and value >= 0,
    "<number>": lambda value: type(value) in (int, float) and value >= 0,
    "<unix seconds>": lambda value: type(value) is int and value > 1_600_000_000,
    "<box>": lambda value: len(value) == 4 and value[0] < value[2] and value[1] < value[3],
}


def fixture(name: str) -> Any:
    """Return the content of a fixture file, such as `baidu/segment.json`."""
    return json.loads((FIXTURES / name).read_text())


def assert_matches(actual: Any, expected: Any, where: str = "answer") -> None:
    """Fail if `actual` differs from `expected` in keys, values or number types.

    A text `<~PATTERN>` in `expected` is a regular expression, which the actual text must match. where: the name of the
    value in error messages.
    """
    if isinstance(expected, dict):
        assert isinstance(actual, dict), f"{where} is {actual!r:.200}"
        assert sorted(actual) == sorted(expected), where
        for key, value in expected.items():
            assert_matches(actual[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), f"{where} is {actual!r:.200}"
        assert len(actual) == len(expected), where
        for index, value in enumerate(expected):
            assert_matches(actual[index], value, f"{where}[{index}]")
    elif isinstance(expected, str) and expected in _CHECKS:
        assert _CHECKS[expected](actual), f"{where} is {actual!r:.200}"
    elif isinstance(expected, str) and expected.startswith("<~"):
        assert isinstance(actual, str), f"{where} is {actual!r:.200}"
        assert re.fullmatch(expected[2:-1], actual), f"{where} is {actual!r:.200}"
    elif isinstance(expected, str) and expected in _PATTERNS:
        assert isinstance(actual, str), f"{where} is {actual!r:.200}"
        assert re.fullmatch(_PATTERNS[expected], actual), f"{where} is {actual!r:.200}"
    else:
        assert (type(actual), actual) == (type(expected), expected), where
