"""Tests that no picture is lost or processed twice when watchers are killed at random moments.

A watcher cuts out each picture that arrives in a folder or in a bucket. Each watcher is a separate process that SIGKILL
ends while new pictures arrive. The environment variable KEYLINE_KILLS is the number of kills. KEYLINE_SEED, the seed
of the random moments, repeats a run. (`make torture` kills 50 watchers of each kind.)
"""

from __future__ import annotations

import io
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cloudpathlib import S3Client
from django.db import connections
from PIL import Image

from jobs.models import Job, UsageEntry
from jobs.recipes.selectors import recipe_get
from jobs.watching.places import Place
from jobs.watching.watcher import Watch, Watcher
from segmentation.options import CutoutOptions
from tests import photos
from tests.cast import Person
from tests.fakes import FakeEngine, answering
from tests.torture import watching

from .test_watcher import work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

KILLS = int(os.environ.get("KEYLINE_KILLS", "4"))
SEED = int(os.environ.get("KEYLINE_SEED", "0")) or random.randrange(1, 2**32)
LONGEST_LIFE_S = 0.8


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEngine()
    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(fake))


@pytest.fixture
def folder(tmp_path: Path) -> watching.Place:
    return watching.folder_place(tmp_path)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> watching.Place:
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")  # removed again afterwards
    monkeypatch.setattr(S3Client, "_default_client", None)
    return watching.bucket_place()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> watching.Place:
    return request.getfixturevalue(request.param)


def started(run: Callable[[], None]) -> int:
    """Fork a process that calls `run` and then exits; return the process id."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            run()
        finally:
            os._exit(0)
    return pid


def test_no_picture_is_lost_or_repeated(alice: Person, place: watching.Place) -> None:
    chance = random.Random(SEED)
    recipe = recipe_get(alice.actor, watching.RECIPE)

    def watcher() -> Watcher:
        S3Client._default_client = None
        ends = {"source": Place(place.inbox), "output": Place(place.outbox)}
        return Watcher(
            Watch(**ends, actor=alice.actor, options=CutoutOptions(), recipe=recipe, settled_s=0, every_s=0.05)
        )

    for number in range(KILLS):
        arrive(place, number, chance)
        pid = started(lambda: watcher().run())
        deadline = time.monotonic() + chance.uniform(0, LONGEST_LIFE_S)
        while time.monotonic() < deadline:
            work()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    last = watcher()
    while last.step() or last._flights or last._has_arrivals():
        work()

    assert watching.faults(place) == [], f"KEYLINE_SEED={SEED}"
    assert Job.objects.count() == len(place.good)
    assert UsageEntry.objects.count() == len(place.good)


def arrive(place: watching.Place, number: int, chance: random.Random) -> None:
    """Put two new files into the inbox of `place`; about one in eight is not a picture.

    number: a number that makes the file names unique.
    """
    for index in range(2):
        name = f"{number:03d}-{index}.jpg"
        if chance.random() < 1 / 8:
            place.bad.add(name)
            place.put(name, b"no picture " + name.encode())
            continue
        place.good.add(name)
        shift = chance.randrange(300)
        stream = io.BytesIO()
        Image.fromarray(photos.astronaut()[shift : shift + 128, :128]).save(stream, "JPEG")
        place.put(name, stream.getvalue())
