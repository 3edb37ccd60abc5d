"""Tests that each variable in docs/settings.md is checked: an invalid value stops the start of the site.

Variables that accept any text are exceptions.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.stack import ROOT
from tests.test_settings_documented import variables_documented
from webserver import configuration

# Rejected where the settings are read, one by one.
WRONG = {
    "ALLOWED_HOSTS": "https://cut.example.com",
    "CSRF_TRUSTED_ORIGINS": "cut.example.com",
    "DATABASE_URL": "mysql://host/keyline",
    "DEBUG": "maybe",
    "DEFAULT_FROM_EMAIL": "Keyline",
    "EMAIL_URL": "mail.example.com",
    "LOG_LEVEL": "loud",
    "MATTING_AUTO_ABOVE": "-1",
    "MATTING_AUTO_MAX_S": "long",
    "MATTING_AUTO_SHARE": "-0.1",
    "MATTING_BEHIND_PROXY": "nginx",
    "MATTING_CORS_ORIGINS": "shop.example.com",
    "MATTING_DISK_RESERVE_BYTES": "64M",
    "MATTING_DOWNLOADERS": "0",
    "MATTING_FETCH_TIMEOUT_S": "0",
    "MATTING_FREE_CORRECTIONS": "-1",
    "MATTING_GPU_PICTURES": "0",
    "MATTING_HSTS_PRELOAD": "maybe",
    "MATTING_HSTS_SECONDS": "1y",
    "MATTING_HSTS_SUBDOMAINS": "maybe",
    "MATTING_HTTPS": "maybe",
    "MATTING_INPUT_ROOTS": "inputs",
    "MATTING_LDAP_EMAIL_DOMAINS": "@example.com",
    "MATTING_LDAP_START_TLS": "maybe",
    "MATTING_LDAP_URL": "ldap.example.com",
    "MATTING_LEASE_S": "1",
    "MATTING_LINK_TTL_S": "0",
    "MATTING_LOCKOUT_MINUTES": "0",
    "MATTING_LOG_FORMAT": "xml",
    "MATTING_MAIL_TIMEOUT_S": "0",
    "MATTING_MAX_ARCHIVE_BYTES": "512MB",
    "MATTING_MAX_DELIVERIES": "0",
    "MATTING_MAX_IMAGES_PER_JOB": "0",
    "MATTING_MAX_IMAGE_BYTES": "0",
    "MATTING_MAX_IMAGE_PIXELS": "50e6",
    "MATTING_MAX_WAIT_S": "-1",
    "MATTING_MEDIA_GROUP_READABLE": "maybe",
    "MATTING_METRICS_NETWORKS": "10.0.0.0/64",
    "MATTING_ACTIVATION_WAIT_S": "0",
    "MATTING_MODEL_IDLE_S": "0",
    "MATTING_MODEL_MEMORY_MB": "1G",
    "MATTING_MODEL_THREADS": "-1",
    "MATTING_OIDC_URL": "login.example.com",
    "MATTING_OTLP_ENDPOINT": "collector:4318",
    "MATTING_OUTPUT_ROOTS": "outputs",
    "MATTING_PICTURE_TIMEOUT_S": "0",
    "MATTING_PIXEL_PROCESSES": "2",
    "MATTING_QUALITY": "best",
    "MATTING_QUALITY_UNITS": "best=3",
    "MATTING_QUEUE_PICTURES": "0",
    "MATTING_QUEUE_PICTURES_PER_TEAM": "0",
    "MATTING_QUEUE_WAIT_S": "0",
    "MATTING_QUOTA_IMAGES_PER_DAY": "-1",
    "MATTING_QUOTA_IMAGES_PER_MONTH": "many",
    "MATTING_QUOTA_MAX_IMAGE_BYTES": "0",
    "MATTING_QUOTA_MAX_IMAGE_MEGAPIXELS": "0",
    "MATTING_QUOTA_PENDING_TASKS": "1.5",
    "MATTING_QUOTA_REQUESTS_PER_SECOND": "0",
    "MATTING_QUOTA_RETENTION_HOURS": "0",
    "MATTING_QUOTA_RUNNING_TASKS": "0",
    "MATTING_QUOTA_STORED_BYTES": "2G",
    "MATTING_REPEAT_WINDOW_S": "-1",
    "MATTING_RETENTION_HOURS": "abc",
    "MATTING_RUNTIME": "torch",
    "MATTING_S3_BUCKET": "s3://pictures",
    "MATTING_S3_ENDPOINT": "minio:9000",
    "MATTING_SAML_ATTRIBUTES": "name=login",
    "MATTING_SAML_EMAIL_DOMAINS": "@example.com",
    "MATTING_SAML_METADATA_URL": "login.example.com",
    "MATTING_SAML_SSO_URL": "login.example.com",
    "MATTING_SEND_FILES": "apache",
    "MATTING_SENTRY_DSN": "sentry",
    "MATTING_SIGNUP_IMAGES_PER_DAY": "-1",
    "MATTING_SIGNUP_OPEN": "maybe",
    "MATTING_SIGNUP_STORED_BYTES": "2G",
    "MATTING_SIGN_IN_FAILURES": "0",
    "MATTING_SWEEP_INTERVAL_S": "0",
    "MATTING_TEAM_WINDOW": "0",
    "MATTING_TRACE_SHARE": "2",
    "MATTING_TRIAL_CUTOUTS_PER_ADDRESS": "0",
    "MATTING_TRIAL_CUTOUTS_PER_HOUR": "-1",
    "MATTING_WORKERS": "0",
    "MATTING_WORKER_MAX_MB": "6G",
    "REDIS_URL": "http://queue",
    "TIME_ZONE": "Foo",
}
# Rejected by the web server, which reads them itself, and by `manage.py run` before it starts anything.
WRONG_OF_WEB_SERVER = {
    "HOST": "all",
    "PORT": "70000",
    "WEB_HEADER_TIMEOUT_S": "0",
    "WEB_MAX_REQUESTS": "0",
    "WEB_MIN_BYTES_PER_S": "0",
    "WEB_PROCESSES": "2.5",
    "WEB_STALL_TIMEOUT_S": "soon",
    "WEB_THREADS": "0",
    "WEB_UPLOAD_THREADS": "-4",
}
# Rejected by the system checks, because they name files or depend on other settings; tested together.
WRONG_TOGETHER = {
    "MATTING_CONTENT_CHECK": "shop.checks.nothing",
    "MATTING_FETCH_ALLOW": "10.0.0.0/64",
    "MATTING_GROUP_STAFF": "ops=Boss",
    "MATTING_GROUP_TEAMS": "designers",
    "MATTING_LDAP_BIND_DN": "cn=keyline,dc=example,dc=com",
    "MATTING_LDAP_BIND_PASSWORD": "",
    "MATTING_LDAP_CA_CERTIFICATES": "/nowhere/authority.pem",
    "MATTING_LDAP_GROUPS_FILTER": "member={dn}",
    "MATTING_LDAP_PEOPLE": "",
    "MATTING_LDAP_PEOPLE_FILTER": "(uid=dana)",
    "MATTING_OIDC_CLIENT_ID": "",
    "MATTING_OIDC_CLIENT_SECRET": "",
    "MATTING_OPEN_TO": "127.0.0.1",
    "MATTING_S3_REGION": "eu-central-1",
    "MATTING_SAML_CERTIFICATE": "MIIC",
    "MATTING_SAML_ENTITY_ID": "",
    "MATTING_SAML_OWN_CERTIFICATE": "MIIC",
    "MATTING_SAML_OWN_KEY": "MIIE",
    "MATTING_WEIGHTS": "/nowhere/model.safetensors",
}
_SWITCHED_ON = {
    "MATTING_OIDC_URL": "https://login.example.com",
    "MATTING_SAML_SSO_URL": "https://login.example.com",
    "MATTING_LDAP_URL": "ldaps://ldap.example.com",
}
# Any text may be valid: names, secrets, and folders that are created at the first start.
FREE = {
    "MATTING_DATA_DIR",
    "MATTING_HOST",
    "MATTING_LDAP_GROUPS",
    "MATTING_MEDIA_DIR",
    "MATTING_METRICS_TOKEN",
    "MATTING_OIDC_GROUPS_CLAIM",
    "MATTING_OIDC_NAME",
    "MATTING_SAML_GROUPS_ATTRIBUTE",
    "MATTING_SAML_NAME",
    "MATTING_SAML_OWN_ENTITY_ID",
    "MATTING_WEIGHTS_DIR",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
}


def test_the_tables_name_every_variable_once() -> None:
    tables = [*WRONG, *WRONG_OF_WEB_SERVER, *WRONG_TOGETHER, *FREE]

    assert sorted(tables) == sorted(variables_documented())


@pytest.mark.parametrize(("name", "value"), WRONG.items(), ids=list(WRONG))
def test_a_wrong_value_is_refused_with_the_name_of_its_variable(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"MATTING_DATA_DIR": str(tmp_path), name: value})

    with pytest.raises(ImproperlyConfigured) as refusal:
        runpy.run_path(str(ROOT / "mattingsite" / "settings.py"))

    assert str(refusal.value).startswith(name)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("name", "value"), WRONG_OF_WEB_SERVER.items(), ids=list(WRONG_OF_WEB_SERVER))
def test_the_web_server_refuses_a_wrong_value_with_the_name_of_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValueError, match=f"^{name}="):
        configuration.from_environment()


@pytest.mark.slow
def test_the_system_checks_name_every_variable_that_depends_on_files_or_others(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MATTING_")}
    kept["DJANGO_SETTINGS_MODULE"] = "mattingsite.settings"
    environment = kept | {"MATTING_DATA_DIR": str(tmp_path)} | _SWITCHED_ON | WRONG_TOGETHER
    command = [sys.executable, str(ROOT / "manage.py"), "check", "--tag", "keyline"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert [name for name in WRONG_TOGETHER if name not in done.stderr] == []
    assert "Traceback" not in done.stderr
