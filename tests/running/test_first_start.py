"""Tests of the first start of a site: it prepares the data folder once, and reports a problem in one line."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pytest_django import Settings

from jobs.models import Membership, Scope, Team
from jobs.running import first_start, readiness
from jobs.running.first_start import CannotStart
from jobs.teams.selectors import key_by_secret
from tests.stack import ROOT, free_port


def test_the_first_start_makes_an_administrator_a_team_and_a_key(db: None) -> None:
    made = first_start.first_account_create()

    admin = get_user_model().objects.get(username=made.user_name)
    key = key_by_secret(made.key_secret)
    assert admin.is_superuser
    assert admin.check_password(made.password)
    assert Membership.objects.get(user=admin).role == Membership.Role.OWNER
    assert key.team.name == made.team_name
    assert key.public_id == made.key_public_id
    assert set(key.scopes) == set(Scope.values)


def test_a_later_start_makes_no_account(db: None) -> None:
    first_start.first_account_create()

    assert first_start.first_account_create() is None
    assert get_user_model().objects.count() == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")

    with pytest.raises(CannotStart, match=f"{in_the_way}.*MATTING_DATA_DIR"):
        first_start.folder_require(in_the_way)


def test_a_bucket_that_does_not_exist_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ClientError({"ResponseMetadata": {"HTTPStatusCode": 404}, "Error": {"Code": "404"}}, "HeadBucket")
    client = Mock()
    client.head_bucket.side_effect = missing
    settings.S3_BUCKET = "pictures"
    monkeypatch.setattr(readiness, "_bucket_problem", readiness.ask_bucket)
    monkeypatch.setattr(readiness, "default_storage", Mock(connection=Mock(meta=Mock(client=client))))

    with pytest.raises(CannotStart, match="MATTING_S3_BUCKET=pictures: The bucket does not exist"):
        first_start.storage_require()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]

        with pytest.raises(CannotStart, match=f"port {port} .* is taken"):
            first_start.port_require("127.0.0.1", port)


def test_a_free_port_is_accepted() -> None:
    first_start.port_require("127.0.0.1", free_port())


def test_a_folder_in_use_by_a_live_run_is_refused_and_free_again_after_it(tmp_path: Path) -> None:
    lock = first_start.folder_lock(tmp_path)

    with pytest.raises(CannotStart, match="in use"):
        first_start.folder_lock(tmp_path)

    lock.close()
    first_start.folder_lock(tmp_path).close()


def test_static_files_are_collected_once_and_again_after_a_change(tmp_path: Path, settings: Settings) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.css").write_text("a {}")
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "collected"

    assert first_start.static_files_collect() is True
    assert first_start.static_files_collect() is False
    (source / "b.css").write_text("b {}")
    assert first_start.static_files_collect() is True
    assert (tmp_path / "collected" / "b.css").is_file()


def test_set_up_waits_for_the_database_and_names_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def refuse() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("the server is starting up")

    monkeypatch.setattr(first_start.connection, "ensure_connection", refuse)
    monkeypatch.setattr(first_start.time, "sleep", lambda seconds: None)

    first_start.database_wait(timeout_s=60)
    assert len(tries) == 3

    tries.clear()
    with pytest.raises(CannotStart, match="starting up"):
        first_start.database_wait(timeout_s=0)


def test_create_key_prints_the_id_and_then_the_secret_alone(db: None) -> None:
    printed = io.StringIO()

    call_command("create_key", "--team", "Studio", "--name", "laptop", "--scope", "read", stdout=printed)

    first, secret = printed.getvalue().splitlines()
    key = key_by_secret(secret)
    assert first == f"id {key.public_id}"
    assert (key.team.name, key.name, key.scopes) == ("Studio", "laptop", ["read"])


def test_create_key_uses_the_team_that_is_there(db: None) -> None:
    team = Team.objects.create(name="Studio")

    call_command("create_key", "--team", "Studio", "--name", "laptop", stdout=io.StringIO())

    assert list(Team.objects.all()) == [team]
    assert set(team.keys.get().scopes) == {"submit", "read"}


def test_create_key_refuses_a_name_that_does_not_fit(db: None) -> None:
    with pytest.raises(CommandError, match="--team"):
        call_command("create_key", "--team", "x" * 121, "--name", "laptop")
    assert not Team.objects.exists()


def test_a_data_folder_that_cannot_be_made_ends_any_command_in_one_line(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    environment = {"MATTING_DATA_DIR": str(in_the_way / "var"), "DJANGO_SETTINGS_MODULE": "mattingsite.settings"}

    done = subprocess.run(
        [sys.executable, "manage.py", "run"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "MATTING_DATA_DIR" in done.stderr


@pytest.mark.slow
def test_a_port_that_is_no_number_ends_the_run_in_one_line(tmp_path: Path) -> None:
    environment = {"MATTING_DATA_DIR": str(tmp_path), "PORT": "http", "DJANGO_SETTINGS_MODULE": "mattingsite.settings"}

    done = subprocess.run(
        [sys.executable, "manage.py", "run"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr == "CommandError: Keyline cannot start: PORT=http is not a port from 1 to 65535\n"
