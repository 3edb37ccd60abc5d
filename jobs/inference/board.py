"""Collect the data of the Models page of the admin: roles and tiers, installed files, hosts, and measurements."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from redis.exceptions import RedisError

from jobs.errors import QueueUnavailable
from jobs.inference.hosts import DIGITS, Host, hosts_now
from jobs.inference.installed import Installed, installed_models
from jobs.inference.selectors import ModelFigures, active_versions, model_figures, trial_figures
from jobs.models import ModelVersion, Quota, Role, Tier
from segmentation.checkpoints import public_checkpoints
from segmentation.engines.manifest import Manifest

FIGURES_DAYS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """One role and tier with its active model.

    file: the model's file on this host; None if this host does not have it.
    loaded: the loaded copies of the model, each with the name of its host.
    lacking: the names of the hosts that do not have the file.
    figures: the model's measurements in this tier; None if the model has processed no picture.
    units: the quota units that one picture of this tier costs by default; None for the tier `trial`.
    """

    role: Role
    tier: Tier
    version: ModelVersion | None
    file: Installed | None
    loaded: list[dict[str, object]]
    lacking: list[str]
    figures: ModelFigures | None
    units: int | None

    @property
    def is_built_in(self) -> bool:
        return self.version is None and self.file is not None


def models_board() -> dict[str, Any]:
    """Return the template context of the Models page of the admin."""
    files = installed_models()
    hosts = _hosts()
    active = active_versions()
    since = timezone.now() - dt.timedelta(days=FIGURES_DAYS)
    figures = model_figures(since=since)
    return {
        "places": [
            _place(role, tier, active.get((role, tier)), files, hosts or {}, figures) for role in Role for tier in Tier
        ],
        "files": [file for file in files if not file.is_built_in],
        "hosts": None if hosts is None else list(hosts.values()),
        "figures": figures,
        "trials": trial_figures(since=since),
        "figures_days": FIGURES_DAYS,
        "fetchable": _fetchable(files),
        "tiers": [(str(tier), tier.label) for tier in Tier],
    }


def _hosts() -> dict[str, Host] | None:
    try:
        return hosts_now()
    except (RedisError, OSError, QueueUnavailable):
        return None


def _place(
    role: Role,
    tier: Tier,
    version: ModelVersion | None,
    files: list[Installed],
    hosts: dict[str, Host],
    figures: list[ModelFigures],
) -> Place:
    if version is None:
        file = next((file for file in files if role in file.built_in_for), None) if tier is Tier.FAST else None
        sha256 = file.sha256 if file else ""
        lacking: list[str] = []
    else:
        sha256 = version.sha256
        file = next((file for file in files if file.sha256 == sha256), None)
        lacking = [host.name for host in hosts.values() if sha256[:DIGITS] not in host.weights]
    loaded = [
        {"host": host.name, **one}
        for host in hosts.values()
        for one in host.loaded
        if sha256 and one.get("version") == sha256[:DIGITS]
    ]
    digits = sha256[:DIGITS]
    found = next((one for one in figures if digits and one.model.endswith(f" {digits}") and one.tier == tier), None)
    units = None if tier is Tier.TRIAL else Quota().units_of(tier)
    return Place(role, tier, version, file, loaded, lacking, found, units)


def _fetchable(files: list[Installed]) -> list[Manifest]:
    """Return the manifests of the public checkpoints that are not installed on this host."""
    present = {file.name for file in files}
    return [manifest for name, manifest in public_checkpoints().items() if name not in present]
