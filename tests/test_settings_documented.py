"""Tests that docs/settings.md explains exactly the variables that the site reads."""

from __future__ import annotations

import ast
import re

from tests.stack import ROOT

SOURCES = (
    "mattingsite/settings.py",
    "mattingsite/sign_on.py",
    "webserver/configuration.py",
)
PAGE = ROOT / "docs" / "settings.md"


def variables_read() -> set[str]:
    """Return the names of the variables in all calls such as `env(…)` and `env.integer(…)` in the modules SOURCES."""
    found = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse((ROOT / source).read_text())):
            if isinstance(node, ast.Call) and node.args and _reads_environment(node.func):
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    found.add(name.value)
    return found


def variables_documented() -> list[str]:
    """Return the variable names in the first column of the tables in docs/settings.md."""
    return re.findall(r"^\| `([A-Z0-9_]+)` \|", PAGE.read_text(), flags=re.MULTILINE)


def test_every_variable_is_documented_once() -> None:
    documented = variables_documented()

    assert sorted(documented) == sorted(set(documented))
    assert variables_read() - set(documented) == set()


def test_every_documented_variable_is_read() -> None:
    assert set(variables_documented()) - variables_read() == set()


def test_settings_are_where_this_test_looks() -> None:
    assert {"MATTING_DATA_DIR", "PORT", "WEB_THREADS", "MATTING_QUOTA_IMAGES_PER_DAY"} <= variables_read()


def _reads_environment(function: ast.expr) -> bool:
    words = ast.unparse(function)
    return words in ("env", "_number", "_whole", "_port", "_address") or (
        words.startswith("env.") and words != "env.export"  # variables of other libraries
    )
