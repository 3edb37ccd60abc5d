"""Test with the short form of the load measurement: a site with all kinds of stalled clients still responds."""

from __future__ import annotations

import pytest

from tests import loops
from tests.stack import Stack
from tests.torture import load
from tests.torture.stalls import Site

pytestmark = pytest.mark.e2e


def test_probes_and_pictures_are_answered_under_every_stall_at_once(live_stack: Stack) -> None:
    site = Site(live_stack.base_url, live_stack.secret)

    rows = loops.run(load.measure_all_at_once(site, clients=4, seconds=0, waits=100))

    (row,) = rows
    assert row["probes_ms"]["count"] > 0
    assert row["probes_ms"]["max"] < float("inf")
    assert row["statuses"] == {"200": 4}
