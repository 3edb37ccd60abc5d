"""Tests that an external service that hangs or fails blocks only a few threads."""

from __future__ import annotations

import threading

import pytest

from jobs.teams import outside_services
from jobs.teams.outside_services import OutsideAway, OutsideService


def test_only_three_threads_wait_for_a_service_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_services, "_WAIT_S", 0.01)
    service = OutsideService(OSError)
    inside, answer = threading.Barrier(4), threading.Event()

    def ask() -> None:
        with service.request():
            inside.wait(10)
            answer.wait(10)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    inside.wait(10)

    with pytest.raises(OutsideAway, match="too many"), service.request():
        pass
    answer.set()
    for thread in threads:
        thread.join(10)
    with service.request():
        pass


def test_after_a_failure_the_service_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    monkeypatch.setattr(outside_services.time, "monotonic", lambda: now_s)
    service = OutsideService(OSError)

    with pytest.raises(ConnectionError), service.request():
        raise ConnectionError

    now_s += 9
    with pytest.raises(OutsideAway, match="a moment ago"), service.request():
        pass
    now_s += 2
    with service.request():
        pass


def test_other_errors_say_nothing_of_the_service() -> None:
    service = OutsideService(OSError)

    with pytest.raises(KeyError), service.request():
        raise KeyError

    with service.request():
        pass
