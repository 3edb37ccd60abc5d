"""The list of all kinds of attacks, in the order in which they run."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Self

from tests.segmentation.formats import mutated
from tests.torture import faults, load, sharing, watching
from tests.torture.attacks import bodies, hostile, pixels, urls, waits, zips
from tests.torture.figures import Figure
from tests.torture.kills import KINDS as KILLS
from tests.torture.kills import kills
from tests.torture.site import TorturedSite, tortured_site


@dataclass(frozen=True, slots=True)
class Extent:
    """The length of a run of the attacks.

    kills: the number of kills for each kind of kill. short: True for a run of a few seconds that only checks the code.
    """

    kills: int = 50
    short: bool = False


class Sites:
    """The site that most kinds of attacks share. It starts when an attack first needs it, and stops at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._shared: TorturedSite | None = None

    def shared(self) -> TorturedSite:
        if self._shared is None:
            self._shared = self._stack.enter_context(tortured_site())
        return self._shared

    def forget(self) -> None:
        """Stop the shared site; the next kind of attack gets a new one."""
        self._shared = None
        with suppress(Exception):  # a failed site may not even stop
            self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of attack: its title, and the function that runs it for a given extent."""

    title: str
    run: Callable[[Sites, Extent], list[Figure]]


def _kill(name: str, sites: Sites, extent: Extent) -> list[Figure]:
    return kills(sites.shared(), name, count=extent.kills)


def _load(sites: Sites, extent: Extent) -> list[Figure]:
    clients = [1, 8] if extent.short else [1, 8, 32, 64, 256]
    return load.figures(
        sites.shared(), clients=clients, seconds=2 if extent.short else 10, waits=50 if extent.short else 500
    )


def _decoders(sites: Sites, extent: Extent) -> list[Figure]:
    count = 500 if extent.short else 50_000
    outcomes, wrong = mutated.run(count)
    details = {"outcomes": dict(outcomes), "faults": wrong[:20]}
    return [
        Figure("Damaged picture files: files read", sum(outcomes.values()), details=details),
        Figure("Damaged picture files: crashes, hangs and unexpected errors", len(wrong), "", 0),
    ]


def _watching(sites: Sites, extent: Extent) -> list[Figure]:
    wrong = watching.main(extent.kills, seed=random.randrange(2**32))
    return [Figure("Watched folder and bucket: pictures lost or repeated", wrong, "", 0)]


KINDS: dict[str, Kind] = {
    **{name: Kind(kind.title, partial(_kill, name)) for name, kind in KILLS.items()},
    "hung-worker": Kind(
        "Worker that hangs or is stopped",
        lambda sites, extent: faults.hung_worker(sites.shared(), times=1 if extent.short else 4),
    ),
    "stopped-web": Kind(
        "Web process that is stopped",
        lambda sites, extent: faults.stopped_web_process(sites.shared(), times=1 if extent.short else 3),
    ),
    "sqlite": Kind(
        "SQLite locked",
        lambda sites, extent: faults.locked_database(sites.shared(), seconds=5 if extent.short else 25),
    ),
    "sharing": Kind(
        "Fair sharing",
        lambda sites, extent: sharing.fair_sharing(
            sites.shared(),
            batch=40 if extent.short else 1000,
            pollers=10 if extent.short else 200,
            pictures=3 if extent.short else 20,
        ),
    ),
    "load": Kind("Load table", _load),
    "waits": Kind(
        "Waits and cheap requests",
        lambda sites, extent: waits.waits_and_cheap_requests(
            sites.shared(), waits=8 if extent.short else 40, cheap=400 if extent.short else 7000, pollers=4
        ),
    ),
    "hostile": Kind(
        "Hostile files and malformed requests",
        lambda sites, extent: hostile.hostile_input(
            sites.shared(), requests_count=100 if extent.short else 3000, every=20 if extent.short else 1
        ),
    ),
    "bodies": Kind(
        "Large bodies",
        lambda sites, extent: bodies.heavy_bodies(sites.shared(), each=2 if extent.short else 8),
    ),
    "large-pixels": Kind(
        "Pictures of 49 megapixels",
        lambda sites, extent: pixels.heavy_pixels(
            sites.shared(), uploads=2 if extent.short else 16, variants=1 if extent.short else 4
        ),
    ),
    "zips": Kind(
        "Hostile zips",
        lambda sites, extent: zips.hostile_zips(sites.shared(), each=2 if extent.short else 8),
    ),
    "decoders": Kind("Damaged picture files", _decoders),
    "watching": Kind("Watched folder and bucket whose watcher is killed", _watching),
    "urls": Kind(
        "Forbidden URLs and rebinding",
        lambda sites, extent: urls.forbidden_urls(every=20 if extent.short else 1),
    ),
    "slow-broker": Kind(
        "Broker that is slow, hangs or refuses",
        lambda sites, extent: faults.slow_broker(seconds=3 if extent.short else 15),
    ),
    "s3": Kind("S3 that hangs or refuses", lambda sites, extent: faults.bucket(seconds=4 if extent.short else 25)),
    "mail": Kind(
        "Mail server that never answers",
        lambda sites, extent: faults.silent_mail_server(times=1 if extent.short else 4),
    ),
    "disk": Kind("Full disk", lambda sites, extent: faults.full_disk(seconds=4 if extent.short else 15)),
}
