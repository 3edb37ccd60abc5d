"""Test of the operator's walk-through of a deployment: set-up on several hosts, upgrade, lost worker, backup, restore.

walk.py contains the steps.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.walk import walk

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.mark.skipif(not Path("/usr/sbin/nginx").exists(), reason="nginx is not installed")
def test_the_operators_walk() -> None:
    steps: list[str] = []

    walk(steps.append)

    assert len(steps) == 12
