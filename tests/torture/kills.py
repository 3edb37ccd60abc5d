"""Attack that kills processes of the site at random moments, while clients send pictures."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.torture.figures import RECOVERY_S, Figure
from tests.torture.site import START_S, TorturedSite, Watch, wait_until
from tests.torture.traffic import Traffic

Victims = Callable[[TorturedSite], list[int]]


@dataclass(frozen=True, slots=True)
class KillKind:
    """One kind of kill.

    victims: a function that returns processes; one of them is killed. ways: names of methods of `Traffic` that send
    pictures; the first one measures the recovery time. afterwards: a function that is called after each kill.
    meanwhile: a function that is called repeatedly, for example to start the supervisor again, as a service manager
    does.
    """

    title: str
    victims: Victims
    ways: tuple[str, ...] = ("waits", "polls", "waits")
    afterwards: Callable[[TorturedSite], None] | None = None
    meanwhile: Callable[[TorturedSite], None] | None = None


# The recovery is measured after this many of the kills; after the others, the next kill follows in any state of the
# site.
_MEASURED_SHARE = 0.4


def _named(*words: str, without: str = "\0") -> Victims:
    def find(site: TorturedSite) -> list[int]:
        return [pid for pid in site.processes(*words) if pid not in site.processes(without)]

    return find


def _broker_data_lost(site: TorturedSite) -> None:
    """Delete the broker's files after the broker was killed."""
    shutil.rmtree(site.folder / "broker", ignore_errors=True)


def _started_again_when_ended(site: TorturedSite) -> None:
    """Start the site again if it has ended, as systemd does."""
    if site.stack.process.poll() is not None:
        site.start_again()


KINDS = {
    "worker": KillKind("Kills of a worker with a model", _named("--child", "pictures")),
    "downloader": KillKind("Kills of a downloader", _named("--child", "downloads"), ("by_url", "by_url", "waits")),
    "worker-parent": KillKind("Kills of the workers' parent", _named("manage.py work", without="--child")),
    "web": KillKind("Kills of a web process", _named("webserver/__main__.py", "--child")),
    "web-parent": KillKind("Kills of the web server's parent", _named("webserver/__main__.py", without="--child")),
    "broker": KillKind("Kills of the broker, with its data", _named("valkey-server"), afterwards=_broker_data_lost),
    "pixels": KillKind("Kills of a pixel process", _named("spawn_main"), ("large", "varies", "large")),
    "supervisor": KillKind(
        "Kills of the supervisor", lambda site: [site.stack.process.pid], meanwhile=_started_again_when_ended
    ),
}


@contextmanager
def _repeated(call: Callable[[TorturedSite], None] | None, site: TorturedSite) -> Iterator[None]:
    """Call a function ten times per second during the block. If `call` is None, do nothing."""
    ended = threading.Event()

    def repeat() -> None:
        while call is not None and not ended.wait(0.1):
            call(site)

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def kills(site: TorturedSite, kind_name: str, *, count: int, seed: int = 22) -> list[Figure]:
    """Kill a process `count` times at random moments, and return the figures.

    After about 40 % of the kills, send a new picture and measure the time until its response. kind_name: a key of
    KINDS. seed: the seed of the random moments.
    """
    kind = KINDS[kind_name]
    chance = random.Random(seed)
    traffic, watch = Traffic(site), Watch(site)
    recoveries: list[float] = []
    killed = 0
    with _repeated(kind.meanwhile, site), watch.running(), traffic.running(*kind.ways[1:]):
        getattr(traffic, kind.ways[0])()
        for number in range(count):
            time.sleep(chance.uniform(0, 0.5))
            wait_until(lambda: bool(kind.victims(site)), 30)
            victims = kind.victims(site)
            if not victims:  # it has ended meanwhile
                continue
            with suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                killed += 1
            started = time.monotonic()
            if kind.afterwards is not None:
                kind.afterwards(site)
            if number in (0, count - 1) or chance.random() < _MEASURED_SHARE:
                sent = getattr(traffic, kind.ways[0])()
                recoveries.append((sent.ended or float("inf")) - started)
    site.stack.wait_until_healthy(timeout_s=START_S)
    ordered = sorted(recoveries)
    details = {
        "measured": len(ordered),
        "median": round(ordered[len(ordered) // 2], 2),
        "p90": round(ordered[len(ordered) * 9 // 10], 2),
    }
    return [
        Figure(f"{kind.title}: kills", killed),
        Figure(f"{kind.title}: slowest recovery", round(ordered[-1], 1), "s", RECOVERY_S, details=details),
        *traffic.figures(kind.title),
        *watch.figures(kind.title, probes=kind_name in ("worker", "downloader", "worker-parent", "broker", "pixels")),
    ]
