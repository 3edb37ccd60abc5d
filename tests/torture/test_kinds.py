"""Tests with the short form of `make torture`: an attacked site loses no picture and charges no picture twice.

The tests do not check figures that depend on the speed of the machine.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.stack import Stack
from tests.torture import faults, kills
from tests.torture.attacks import bodies, hostile, zips
from tests.torture.figures import Figure, guarantees, result_of, results_merge
from tests.torture.proxy import Mode, proxied
from tests.torture.site import TorturedSite

_TIMED = ("slowest recovery", "slowest probe", "slowest round", "slowest page")


def missed(figures: list[Figure]) -> list[str]:
    """Return texts about the figures that miss their targets, except figures about speed."""
    wrong = [figure for figure in figures if not figure.is_kept and not any(word in figure.promise for word in _TIMED)]
    return [f"{figure.promise}: {figure.text} {figure.details}" for figure in wrong]


@pytest.mark.e2e
@pytest.mark.parametrize("kind", ["worker", "web", "broker", "pixels"])
def test_kills_lose_no_picture_and_charge_none_twice(kind: str, live_stack: Stack) -> None:
    figures = kills.kills(TorturedSite.around(live_stack), kind, count=2)

    assert missed(figures) == []
    assert figures[0].value == 2


@pytest.mark.e2e
def test_a_worker_that_hangs_or_is_stopped_is_replaced(live_stack: Stack) -> None:
    site = TorturedSite.around(live_stack)

    assert missed(faults.hung_worker(site, times=1, ways=("is stopped",))) == []


@pytest.mark.e2e
def test_a_locked_database_fails_no_picture(live_stack: Stack) -> None:
    assert missed(faults.locked_database(TorturedSite.around(live_stack), seconds=3)) == []


@pytest.mark.e2e
def test_large_bodies_and_hostile_zips_are_refused_and_take_no_memory(live_stack: Stack) -> None:
    site = TorturedSite.around(live_stack)

    assert missed(bodies.heavy_bodies(site, each=1)) == []
    assert missed(zips.hostile_zips(site, each=2)) == []
    assert missed(hostile.hostile_input(site, requests_count=100, every=40)) == []


def test_the_page_shows_each_kind_and_the_sums(tmp_path: Path) -> None:
    path = tmp_path / "guarantees.json"
    figures = [
        Figure("Kills: lost", 0, "", 0),
        Figure("Kills: slowest recovery", 12.3, "s", 10.0),
        Figure("Kills: pictures sent", 40),
        Figure("Kills: slowest probe", float("inf"), "ms", 100.0),
    ]
    results_merge(path, "kills", result_of(figures, title="Kills", command="make torture KIND=kills", seconds=7))
    results_merge(path, "other", result_of([Figure("Other: lost", 2, "", 0)], title="Other", command="x", seconds=1))

    page = guarantees(json.loads(path.read_text()), ["kills", "other", "never run"])

    assert "| Kills: slowest recovery | ≤ 10 s | 12.3 s | **no** |" in page
    assert "| All kinds: lost | ≤ 0 | 2 | **no** |" in page
    assert "| Kills: pictures sent |  | 40 |  |" in page
    assert "| Kills: slowest probe | ≤ 100 ms | no answer | **no** |" in page
    assert page.index("## Kills") < page.index("## Other")


def test_a_proxy_passes_hangs_and_refuses() -> None:
    with proxied(("127.0.0.1", 1)) as nowhere, proxied(("127.0.0.1", nowhere.port)) as proxy:
        with pytest.raises(OSError):
            _first_byte(proxy.port)
        proxy.set(Mode.REFUSE)
        with pytest.raises(OSError):
            _first_byte(proxy.port)
        assert proxy.connections == 2


def _first_byte(port: int) -> None:
    """Connect to a port, send a byte and read one. Raise OSError if there is no response."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"x")
        if not client.recv(1):
            raise ConnectionResetError
