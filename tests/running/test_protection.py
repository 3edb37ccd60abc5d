"""Tests that only the site's system user can read its data, and that its secret key encrypts stored secrets."""

from __future__ import annotations

import io
import os
import runpy
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.module_loading import import_string
from moto import mock_aws
from pytest_django import Settings

from jobs.models import Webhook
from jobs.running import first_start
from mattingsite.data_folder import read_or_create_secret
from tests.cast import Person
from tests.stack import ROOT

PLAIN = "whsec_c2VjcmV0IG9mIGFsaWNl"


def test_the_data_folder_its_secret_and_its_database_are_private(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "var"
    folder.mkdir(mode=0o755)
    (folder / "keyline.sqlite3").touch(mode=0o644)
    database = settings.DATABASES["default"] | {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "keyline.sqlite3",
    }
    monkeypatch.setitem(settings.DATABASES, "default", database)

    first_start.folder_require(folder)
    read_or_create_secret(folder / "secret_key")
    first_start._database_file_protect()

    assert _mode(folder) == 0o700
    assert {_mode(folder / name) for name in ("secret_key", "keyline.sqlite3")} == {0o600}


def test_a_web_server_that_sends_files_may_pass_through_the_data_folder(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_GROUP_READABLE = True

    first_start.folder_require(tmp_path / "var")

    assert _mode(tmp_path / "var") == 0o710


@pytest.mark.parametrize(
    ("variables", "file_mode", "folder_mode"),
    [({}, 0o600, 0o700), ({"MATTING_MEDIA_GROUP_READABLE": "1"}, 0o640, 0o750)],
    ids=["by default", "for a web server that sends files"],
)
def test_stored_pictures_are_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], file_mode: int, folder_mode: int
) -> None:
    storage = _storage(tmp_path, monkeypatch, variables)

    name = storage.save("teams/1/cutout.png", ContentFile(b"x"))

    path = Path(storage.path(name))
    assert _mode(path) == file_mode
    assert _mode(path.parent) == folder_mode


def test_a_bucket_gets_no_acl_and_opens_files_with_links_that_expire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="pictures")
        variables = {"MATTING_S3_BUCKET": "pictures", "MATTING_S3_REGION": "us-east-1"}
        storage = _storage(tmp_path, monkeypatch, variables)
        client = storage.connection.meta.client
        sent: list[dict[str, Any]] = []
        client.meta.events.register("before-parameter-build.s3", lambda params, **_: sent.append(params))

        name = storage.save("teams/1/cutout.png", ContentFile(b"x"))

        assert [params["Key"] for params in sent if "Body" in params] == ["teams/1/cutout.png"]
        assert [params for params in sent if "ACL" in params] == []
        (grant,) = client.get_object_acl(Bucket="pictures", Key=name)["Grants"]
        assert grant["Permission"] == "FULL_CONTROL"
        assert "Signature" in storage.url(name)
        assert "Expires" in storage.url(name)


def test_a_webhooks_secret_is_encrypted_at_rest_and_plain_in_the_code(alice: Person) -> None:
    webhook = Webhook.objects.create(team=alice.team, url="https://example.com", secret=PLAIN)

    assert Webhook.objects.get().signing_secrets() == [PLAIN]
    assert PLAIN not in _stored(webhook)
    assert _stored(webhook).startswith("encrypted:")


def test_a_secret_of_version_1_0_0_is_read_and_then_encrypted(alice: Person) -> None:
    webhook = Webhook.objects.create(team=alice.team, url="https://example.com", secret="")
    _overwrite(webhook, PLAIN)
    assert Webhook.objects.get().secret == PLAIN

    call_command("encrypt_secrets", stdout=io.StringIO())

    assert _stored(webhook).startswith("encrypted:")
    assert Webhook.objects.get().secret == PLAIN


def test_a_rotated_key_reads_old_secrets_and_replaces_them(alice: Person, settings: Settings) -> None:
    webhook = Webhook.objects.create(team=alice.team, url="https://example.com", secret=PLAIN, previous_secret=PLAIN)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
    before = _stored(webhook)
    assert Webhook.objects.get().secret == PLAIN

    call_command("encrypt_secrets", stdout=io.StringIO())
    settings.SECRET_KEY_FALLBACKS = []

    assert _stored(webhook) != before
    assert (Webhook.objects.get().secret, Webhook.objects.get().previous_secret) == (PLAIN, PLAIN)


def test_a_secret_that_no_key_reads_signs_nothing_and_is_never_overwritten(alice: Person, settings: Settings) -> None:
    webhook = Webhook.objects.create(team=alice.team, url="https://example.com", secret=PLAIN)
    before = _stored(webhook)
    settings.SECRET_KEY = "a key that was never used"

    with pytest.raises(ValueError, match="cannot be read"):
        Webhook.objects.get().signing_secrets()
    with pytest.raises(CommandError, match="SECRET_KEY_FALLBACKS"):
        call_command("encrypt_secrets", stdout=io.StringIO())

    assert _stored(webhook) == before


def _storage(folder: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Any:
    """Return the storage that mattingsite.settings configures when these environment variables are set."""
    environment = os.environ | {"MATTING_DATA_DIR": str(folder)} | variables
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", environment)
        default = runpy.run_path(str(ROOT / "mattingsite" / "settings.py"))["STORAGES"]["default"]
    return import_string(default["BACKEND"])(**default["OPTIONS"])


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _stored(webhook: Webhook) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM jobs_webhook WHERE url = %s", [webhook.url])
        return str(cursor.fetchone()[0])


def _overwrite(webhook: Webhook, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_webhook SET secret = %s WHERE url = %s", [text, webhook.url])
