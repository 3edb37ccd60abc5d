"""Fixtures of all tests: a queue for each test process, users, photos, and a running site."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from importlib import import_module

import hypothesis
import pytest
from django.conf import settings
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils import translation
from pytest_django import Settings

from jobs.models import Membership, Team
from jobs.running import broker
from jobs.work import queue
from tests import photos, times
from tests.cast import Person, make_person
from tests.postgres import running_postgres
from tests.stack import Stack, running_stack

hypothesis.settings.register_profile("any machine", deadline=None)  # a busy machine is slow, which is not a fault
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, and group those that use the running site, so that one process runs them with one site."""
    times.mark_slow(items)
    for item in items:
        if "live_stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session", autouse=True)
def valkey() -> Iterator[None]:
    """Run a Valkey server (the broker that holds queues) for this test process at settings.REDIS_URL."""
    command = broker.command(socket=settings.BROKER_SOCKET, folder=settings.DATA_DIR / "broker")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        broker.wait_until_ready(settings.REDIS_URL, timeout_s=20)
        yield
        process.kill()


@pytest.fixture(autouse=True)
def _empty_queue(valkey: None) -> Iterator[None]:
    """Empty the broker after each test: queues, messages, heartbeats and rate limits."""
    yield
    queue.connection().flushall()


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """Reset the language after each test."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _flush_empties_append_only_tables() -> Iterator[None]:
    """Replace Django's `flush`, so that it can empty append-only tables after a transactional test.

    The replacement drops the triggers that forbid deletions, and creates them again afterwards.
    """
    guards = [import_module(f"jobs.migrations.{name}") for name in ("0002_append_only", "0008_usage_append_only")]
    flush = BaseDatabaseOperations.execute_sql_flush

    def without_triggers(operations: BaseDatabaseOperations, sql_list: list[str]) -> None:
        vendor = operations.connection.vendor
        with operations.connection.cursor() as cursor:
            for statement in (one for guard in guards for one in guard.statements_to_drop(vendor)):
                cursor.execute(statement)
        try:
            flush(operations, sql_list)
        finally:
            with operations.connection.cursor() as cursor:
                for statement in (one for guard in guards for one in guard.statements_to_create(vendor)):
                    cursor.execute(statement)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", without_triggers)
        yield


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Store the files of each test in a separate folder."""
    folder = tmp_path_factory.mktemp("media")
    settings.MEDIA_ROOT = folder
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"OPTIONS": {"location": folder, "allow_overwrite": True}}
    }
    settings.MATTING_INPUT_ROOTS = [str(folder / "inputs")]
    settings.MATTING_OUTPUT_ROOTS = [str(folder / "outputs")]


@pytest.fixture
def alice(db: None) -> Person:
    """Return Alice, who owns the team Studio. Her key has all scopes."""
    return make_person("alice", Team.objects.create(name="Studio"), Membership.Role.OWNER)


@pytest.fixture
def bob(alice: Person) -> Person:
    """Return Bob, a member of Alice's team without further permissions."""
    return make_person("bob", alice.team, Membership.Role.MEMBER)


@pytest.fixture
def charlie(db: None) -> Person:
    """Return Charlie, who owns another team and must not see the data of Alice's team."""
    return make_person("charlie", Team.objects.create(name="Print shop"), Membership.Role.OWNER)


@pytest.fixture
def jpeg_bytes() -> bytes:
    """Return a real photo of a person, 512 x 512 pixels, as JPEG."""
    return photos.encoded("JPEG", quality=90)


@pytest.fixture
def png_bytes() -> bytes:
    """Return the photo of `jpeg_bytes` as PNG."""
    return photos.encoded("PNG")


@pytest.fixture(scope="session")
def live_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield a running site: `manage.py run` with web server, worker, model and queue, started once per test process.

    The site has its own database and files. Use it over HTTP through `live_stack.api()`, and create keys with
    `live_stack.create_key(team=…)`. All tests that use it run in one process, one after the other. A test that stops or
    kills a part of the site must call `live_stack.wait_until_healthy()` to wait until the site works again.
    """
    folder = tmp_path_factory.mktemp("site")
    (folder / "weights").mkdir()  # tests put files here that the site must load
    # Tests serve pictures and receive callbacks on this machine; the guarded client permits no other private address.
    changes = {
        "MATTING_FETCH_ALLOW": "127.0.0.1:*",
        "MATTING_FETCH_TIMEOUT_S": "120",  # a response that a test delays must not time out on a busy machine
        "MATTING_WEIGHTS_DIR": str(folder / "weights"),
    }
    with running_stack(folder, **changes) as stack:
        yield stack


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Yield the DATABASE_URL of an empty PostgreSQL server for one test."""
    with running_postgres() as url:
        yield url
