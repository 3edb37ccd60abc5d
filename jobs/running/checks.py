"""System checks of settings that depend on files or on other settings.

A setting that depends on nothing else is checked when it is read. Each error names the environment variable. `manage.py
run`, `work` and `setup` run these checks before they start anything.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from jobs.inference.built_in import built_in_roles
from jobs.intake.content_check import content_check_find
from jobs.intake.fetch import policy_from_settings
from jobs.models import Role
from jobs.running.sign_on_checks import ldap_problems, saml_problems
from jobs.teams.group_maps import staff_groups, team_groups
from jobs.teams.open_networks import open_networks
from mattingsite.packages import is_installed
from segmentation.errors import WeightsInvalid
from segmentation.runtimes import INSTALL_ONNX_CUDA, Runtime

TAG = "keyline"


@register(TAG)
def check_matting_settings(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Return errors and warnings about settings that depend on files, folders or each other.

    Return an empty list if there are no problems.
    """
    return [
        *_weights_errors(),
        *_runtime_errors(),
        *_storage_errors(),
        *_fetch_errors(),
        *_open_network_errors(),
        *_proxy_errors(),
        *_sending_errors(),
        *_single_sign_on_errors(),
        *_observation_errors(),
        *_content_check_errors(),
    ]


def _weights_errors() -> Iterator[CheckMessage]:
    """Yield an error if the built-in model cannot be used, and a warning about roles that it does not support.

    A role is a kind of request, such as boxes and clicks. The shipped model is used for the unsupported roles.
    """
    path = Path(settings.MATTING_WEIGHTS)
    if not path.is_file():
        yield Error(f"MATTING_WEIGHTS={path} is not a file", id="keyline.E003")
        return
    try:
        served = built_in_roles(path)
    except WeightsInvalid as error:
        yield Error(f"MATTING_WEIGHTS={path}: {error.message}", id="keyline.E003")
        return
    others = [role.value for role in Role if role not in served]
    if others:
        text = (
            f"MATTING_WEIGHTS={path} serves only {', '.join(served)}; the shipped model serves {', '.join(others)}. "
            "To use a public model, activate it on the Models page of the admin instead."
        )
        yield Warning(text, id="keyline.W003")


def _runtime_errors() -> Iterator[Error]:
    """Yield an error if CUDA is configured but cannot be used.

    Without this check, the models would run on the CPU, and no message would say so.
    """
    if settings.MATTING_RUNTIME != Runtime.TORCH_CUDA:
        return
    if not cuda_is_usable():
        text = (
            "MATTING_RUNTIME=torch-cuda, but torch finds no GPU that it can use: "
            "check the driver, install the CUDA build of torch, or use auto"
        )
        yield Error(text, id="keyline.E008")
    elif Path(settings.MATTING_WEIGHTS).suffix.lower() == ".onnx" and not onnx_cuda_is_usable():
        text = f"MATTING_RUNTIME=torch-cuda, but ONNX Runtime cannot use CUDA. {INSTALL_ONNX_CUDA}"
        yield Error(text, id="keyline.E008")


def cuda_is_usable() -> bool:
    """Return whether torch can use CUDA.

    The test runs in another process, because this process does not need to import torch.
    """
    return _succeeds("import torch; raise SystemExit(not torch.cuda.is_available())")


def onnx_cuda_is_usable() -> bool:
    """Return whether ONNX Runtime can run a network on CUDA. The test runs in another process."""
    return _succeeds("from segmentation.engines.onnx_runtime import require_cuda; require_cuda()")


def _succeeds(code: str) -> bool:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, check=False).returncode == 0


def _storage_errors() -> Iterator[Error]:
    if settings.S3_BUCKET:
        return
    options = settings.S3_OPTIONS
    for name, option in (("MATTING_S3_ENDPOINT", "endpoint_url"), ("MATTING_S3_REGION", "region_name")):
        if options[option]:
            yield Error(f"{name} is set, but MATTING_S3_BUCKET names no bucket", id="keyline.E004")


def _fetch_errors() -> Iterator[Error]:
    try:
        policy_from_settings("picture")
    except ValueError as error:
        yield Error(f"MATTING_FETCH_ALLOW: {error}", id="keyline.E006")


def _open_network_errors() -> Iterator[Error]:
    try:
        open_networks()
    except ValueError as error:
        yield Error(f"MATTING_OPEN_TO: {error}", id="keyline.E010")


def _proxy_errors() -> Iterator[Error]:
    if settings.DEBUG and settings.HTTPS:
        yield Error("DEBUG=1 and MATTING_HTTPS=1 must not be set together: debug pages show secrets", id="keyline.E007")


def _sending_errors() -> Iterator[Error]:
    if settings.SEND_FILES == "bucket" and not settings.S3_BUCKET:
        yield Error("MATTING_SEND_FILES=bucket needs MATTING_S3_BUCKET", id="keyline.E011")
    if settings.SEND_FILES == "nginx" and settings.S3_BUCKET:
        text = "MATTING_SEND_FILES=nginx sends files of a folder, and MATTING_S3_BUCKET is set: use bucket or direct"
        yield Error(text, id="keyline.E011")


def _single_sign_on_errors() -> Iterator[Error]:
    providers = settings.SOCIALACCOUNT_PROVIDERS
    for client in providers["openid_connect"]["APPS"]:
        for name, key in (("MATTING_OIDC_CLIENT_ID", "client_id"), ("MATTING_OIDC_CLIENT_SECRET", "secret")):
            if not client[key]:
                yield Error(f"MATTING_OIDC_URL is set, and {name} is empty", id="keyline.E012")
    for app in providers["saml"]["APPS"]:
        yield from (Error(problem, id="keyline.E012") for problem in saml_problems(app))
    if settings.LDAP_DIRECTORY is not None:
        yield from (Error(problem, id="keyline.E012") for problem in ldap_problems(settings.LDAP_DIRECTORY))
    is_configured = any(provider["APPS"] for provider in providers.values())
    for name, groups in (("MATTING_GROUP_TEAMS", team_groups), ("MATTING_GROUP_STAFF", staff_groups)):
        try:
            if groups() and not is_configured:
                ways = "MATTING_OIDC_URL, MATTING_SAML_SSO_URL or MATTING_LDAP_URL"
                yield Error(f"{name} is set, and no single sign-on is ({ways})", id="keyline.E012")
        except ValueError as error:
            yield Error(f"{name}: {error}", id="keyline.E012")


def _observation_errors() -> Iterator[Error]:
    """Yield an error for each monitoring setting (Sentry, OpenTelemetry) whose optional packages are not installed."""
    for name, value, modules in (
        ("MATTING_SENTRY_DSN", settings.SENTRY_DSN, ("sentry_sdk",)),
        ("MATTING_OTLP_ENDPOINT", settings.OTLP_ENDPOINT, ("opentelemetry.sdk", "opentelemetry.exporter")),
    ):
        if value and not all(map(is_installed, modules)):
            text = f"{name} is set, and its packages are not installed: pip install -r requirements-observe.txt"
            yield Error(text, id="keyline.E013")


def _content_check_errors() -> Iterator[Error]:
    """Yield an error if the operator's content check (MATTING_CONTENT_CHECK) cannot be called.

    Without this check, the site would start, and each picture would fail.
    """
    try:
        content_check_find()
    except ValueError as error:
        yield Error(f"MATTING_CONTENT_CHECK: {error}", id="keyline.E014")
