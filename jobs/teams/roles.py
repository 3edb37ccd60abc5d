"""The predefined roles of the site's staff. Each role is a group of permissions."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.contrib.auth.models import Group, Permission

_READ_JOBS = ("job", "jobimage", "artifact", "webhook", "webhookdelivery", "modelversion", "usageentry")
_READ_TEAMS = ("team", "membership", "quota", "apikey", "invitation", "usageentry")

ROLES: dict[str, tuple[str, ...]] = {
    "Operator": (
        *(f"jobs.view_{model}" for model in (*_READ_JOBS, "team")),
        "jobs.change_job",
        "jobs.delete_job",
        "jobs.change_modelversion",
        "jobs.change_webhookdelivery",
        "auth.view_user",
    ),
    "Team manager": (
        *(f"jobs.view_{model}" for model in _READ_TEAMS),
        "jobs.add_team",
        "jobs.change_team",
        *(f"jobs.{verb}_membership" for verb in ("add", "change", "delete")),
        *(f"jobs.{verb}_quota" for verb in ("add", "change", "delete")),
        "jobs.add_apikey",
        "jobs.change_apikey",
        "auth.view_user",
    ),
}


def roles_sync() -> None:
    """Create the staff roles and grant their permissions. Permissions that staff added to a role are kept.

    The role "Auditor" may view all models of this app, users and groups, but may not change them.
    """
    auditor = [f"jobs.view_{model._meta.model_name}" for model in apps.get_app_config("jobs").get_models()]
    _group_fill("Auditor", [*auditor, "auth.view_user", "auth.view_group"])
    for name, permissions in ROLES.items():
        _group_fill(name, permissions)


def _group_fill(name: str, permissions: Iterable[str]) -> None:
    group, _ = Group.objects.get_or_create(name=name)
    wanted = {tuple(permission.split(".")) for permission in permissions}
    found = Permission.objects.select_related("content_type").filter(codename__in=[codename for _, codename in wanted])
    group.permissions.add(*(one for one in found if (one.content_type.app_label, one.codename) in wanted))
