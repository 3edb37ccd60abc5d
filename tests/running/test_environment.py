"""Tests that the site reports each invalid setting with its name, before anything starts."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mattingsite.environment import Environment
from tests.stack import ROOT


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MATTING_RETENTION_HOURS", "abc", "MATTING_RETENTION_HOURS=abc must be a whole number, at least 1"),
        ("MATTING_RETENTION_HOURS", "0", "MATTING_RETENTION_HOURS=0 must be a whole number, at least 1"),
        ("MATTING_LEASE_S", "1.5", "MATTING_LEASE_S=1.5 must be a number, at least 2"),
        ("MATTING_LEASE_S", "inf", "MATTING_LEASE_S=inf must be a number, at least 2"),
        ("MATTING_QUOTA_STORED_BYTES", "many", "MATTING_QUOTA_STORED_BYTES=many must be a whole number, at least 0"),
        ("MATTING_HTTPS", "maybe", "MATTING_HTTPS=maybe must be one of"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL must be a URL that begins with"),
        ("DATABASE_URL", "postgres://user@host/", "DATABASE_URL names no database"),
        ("DATABASE_URL", "postgres://user@host:port/keyline", "DATABASE_URL must be a URL"),
        ("REDIS_URL", "http://queue", "REDIS_URL must be a URL that begins with redis://, rediss:// or unix://"),
        ("EMAIL_URL", "mail.example.com", "EMAIL_URL must be a URL such as smtp+tls://"),
        ("TIME_ZONE", "Foo", "TIME_ZONE=Foo is not a time zone"),
        ("TIME_ZONE", "Europe/Berlim", "did you mean Europe/Berlin?"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL=loud must be one of DEBUG"),
        ("MATTING_RUNTIME", "torch", "MATTING_RUNTIME=torch must be one of auto"),
        ("CSRF_TRUSTED_ORIGINS", "cut.example.com", "CSRF_TRUSTED_ORIGINS: cut.example.com must be an origin"),
        ("MATTING_S3_ENDPOINT", "minio:9000", "MATTING_S3_ENDPOINT must be a URL that begins with http://"),
        ("MATTING_WORKER", "4", "MATTING_WORKER is not a setting; did you mean MATTING_WORKERS?"),
        ("SECRET_KEY_FILE", "/nowhere/key", "SECRET_KEY_FILE=/nowhere/key cannot be read"),
    ],
)
def test_the_settings_refuse_a_wrong_value_in_one_line_that_names_it(
    name: str, value: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"MATTING_DATA_DIR": str(tmp_path), name: value})

    with pytest.raises(ImproperlyConfigured) as refusal:
        runpy.run_path(str(ROOT / "mattingsite" / "settings.py"))

    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_any_command_reports_all_wrong_values_together(tmp_path: Path) -> None:
    done = _manage("run", tmp_path, {"MATTING_MAX_WAIT_S": "-1", "MATTING_LINK_TTL_S": "", "MATTING_HTTPS": "ja"})

    assert [line.partition("=")[0] for line in done.stderr.splitlines()] == [
        "Keyline cannot start: MATTING_HTTPS",
        "MATTING_MAX_WAIT_S",
    ]


def test_an_endpoint_without_a_bucket_stops_the_start(tmp_path: Path) -> None:
    done = _manage("setup", tmp_path, {"MATTING_S3_ENDPOINT": "http://127.0.0.1:9000"})

    assert done.returncode == 1
    assert "MATTING_S3_ENDPOINT is set, but MATTING_S3_BUCKET names no bucket" in done.stderr


def test_a_password_never_stands_in_a_message() -> None:
    env = Environment({"DATABASE_URL": "mysql://keyline:hunter2@host/keyline", "EMAIL_URL": "imap://a:hunter2@host"})

    env.database("DATABASE_URL", "sqlite:////tmp/x")
    env.email("EMAIL_URL")

    assert len(env.problems) == 2
    assert "hunter2" not in "".join(env.problems)


def test_a_secret_may_be_given_as_a_file(tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text("postgres://keyline:hunter2@db/keyline\n")

    env = Environment({"DATABASE_URL_FILE": str(file), "MATTING_TOKEN_FILE": str(file)})

    assert env.database("DATABASE_URL", "sqlite:////tmp/x")["PASSWORD"] == "hunter2"
    assert env("MATTING_TOKEN") == "postgres://keyline:hunter2@db/keyline"
    env.finish()


def test_credentials_of_the_bucket_may_be_given_as_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text("hunter2\n")
    environment = {"AWS_SECRET_ACCESS_KEY_FILE": str(file), "AWS_ACCESS_KEY_ID": "given"}
    monkeypatch.setattr(os, "environ", environment)

    Environment(environment).export("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

    assert environment == {"AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_ACCESS_KEY_ID": "given"}


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file")
    env = Environment({"SECRET_KEY": "from the variable", "SECRET_KEY_FILE": str(file)})

    env("SECRET_KEY")

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY and SECRET_KEY_FILE must not both be set"):
        env.finish()


def _manage(command: str, folder: Path, changes: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MATTING_")}
    environment = kept | {"DJANGO_SETTINGS_MODULE": "mattingsite.settings", "MATTING_DATA_DIR": str(folder)} | changes
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
