"""Only the site's system user can read its data on the disk, and only its secret key decrypts its stored secrets."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from jobs.models import Webhook
from jobs.running import first_start
from mattingsite.data_folder import read_or_create_secret
from mattingsite.settings import STORAGES
from tests.cast import Person

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


def test_stored_pictures_are_private(tmp_path: Path) -> None:
    options = STORAGES["default"]["OPTIONS"] | {"location": tmp_path}

    name = FileSystemStorage(**options).save("teams/1/cutout.png", ContentFile(b"x"))

    assert _mode(tmp_path / name) == 0o600
    assert _mode((tmp_path / name).parent) == 0o700


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


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _stored(webhook: Webhook) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM jobs_webhook WHERE url = %s", [webhook.url])
        return str(cursor.fetchone()[0])


def _overwrite(webhook: Webhook, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_webhook SET secret = %s WHERE url = %s", [text, webhook.url])
