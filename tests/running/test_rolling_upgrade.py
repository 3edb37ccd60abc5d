"""Tests that processes of the previous version still work after an upgrade of the database, until they are replaced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.postgres import running_postgres
from tests.stack import ROOT

pytestmark = pytest.mark.slow

COMMIT_OF_1_0_0 = "ea1e1baa969d"
SUBMISSION = """
import io, json, django
django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from jobs.models import Job, JobImage, Team
from jobs.services.keys import key_create
from tests import photos
key, secret = key_create(team=Team.objects.create(name="Studio"), name="old", scopes=("submit", "read"))
client = Client(headers={"Authorization": f"Bearer {secret}", "Host": "localhost"})
photo = SimpleUploadedFile("photo.jpg", photos.encoded("JPEG", quality=90), "image/jpeg")
answers = [client.post("/api/jobs/", {"image": photo}).status_code, client.get("/api/jobs/").status_code]
answers.append(client.delete(f"/api/jobs/{Job.objects.get().pk}/").status_code)
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Yield the environment variables of a site on PostgreSQL with the newest schema.

    The variable `failures` contains, as JSON, the failures of version 1.0.0 when it writes and reads this database.
    """
    with running_postgres() as url:
        environment = os.environ | {
            "DATABASE_URL": url,
            "REDIS_URL": settings.REDIS_URL,
            "MATTING_DATA_DIR": str(tmp_path_factory.mktemp("var")),
            "DJANGO_SETTINGS_MODULE": "mattingsite.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.running.previous_release"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        yield environment | {"failures": done.stdout}


def test_every_row_that_the_previous_version_writes_is_accepted(upgraded: dict[str, str]) -> None:
    assert json.loads(upgraded["failures"]) == {}


def test_the_previous_version_accepts_lists_and_deletes_a_job(upgraded: dict[str, str], tmp_path: Path) -> None:
    archive = subprocess.run(["git", "archive", COMMIT_OF_1_0_0], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("this clone does not contain version 1.0.0")
    subprocess.run(["tar", "x", "-C", str(tmp_path)], input=archive.stdout, check=True)

    done = subprocess.run(
        [sys.executable, "-c", SUBMISSION], cwd=tmp_path, env=upgraded, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [202, 200, 204]


BLOCKED = """
import json, sys, threading, django
django.setup()
from django.core.management import call_command
from django.db import connection, connections, transaction
from jobs.running import first_start

def hold(locked, release):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sys.argv[1])
        locked.set()
        release.wait(60)
    connections.close_all()

call_command("migrate", "jobs", "0020", verbosity=0)
locked, release = threading.Event(), threading.Event()
holder = threading.Thread(target=hold, args=(locked, release))
holder.start()
locked.wait(60)
tries = []
real = first_start.call_command
def counted(*args, **options):
    tries.append(args)
    if len(tries) == 2:
        release.set()
        holder.join()
    return real(*args, **options)
first_start.call_command = counted
first_start.time.sleep = lambda seconds: None
first_start.database_migrate()
print(json.dumps(len(tries)))
"""


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE", id="before its transaction"),
        pytest.param("LOCK TABLE jobs_jobimage IN ACCESS SHARE MODE", id="in its operations"),
        pytest.param("LOCK TABLE jobs_artifact IN ROW EXCLUSIVE MODE", id="in its last, deferred statements"),
    ],
)
def test_a_migration_that_gets_no_lock_is_repeated_until_it_does(upgraded: dict[str, str], lock: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, lock], cwd=ROOT, env=upgraded, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == 2
