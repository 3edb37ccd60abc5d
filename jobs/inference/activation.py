"""Activate a model in a role and tier. The model becomes active on all hosts or on none."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.errors import WaitTimeout
from jobs.inference.files import digest_of, weights_publish
from jobs.inference.hosts import host_name, hosts_now, hosts_unprepared
from jobs.inference.selectors import active_version
from jobs.intake.folders import Place
from jobs.models import Action, ModelVersion, Role, Tier
from jobs.teams.actor import Actor
from jobs.work import queue
from jobs.work.registry import Task
from segmentation.errors import InvalidParameter, WeightsInvalid

_LOOK_EVERY_S = 0.5
_PENDING_MARGIN_S = 60.0
# A worker may load a large model for longer than an activation waits; the next activation then finds it loaded.
WEIGHTS_TRY = Task("weights_try", timeout_s=1800)


def model_reload(*, actor: Actor, place: Place) -> tuple[ModelVersion, ModelVersion | None]:
    """Activate a file of the weights folder as the fast model of each role that it supports.

    Return the new version and the previous version of the role `subject`, or of the first role if the model does not
    support `subject`. The previous version is None if there was none.

    A checkpoint of the built-in network without a manifest was trained by the operator, so it needs no acceptance of a
    licence.

    place: the path of the file in the weights folder.

    Raise WeightsInvalid if the file cannot be used. Raise InvalidParameter if the licence must be accepted and no
    operator has accepted it before. Raise WaitTimeout if no worker tests the file in time, or if a host cannot copy
    the file. Nothing changes if an error is raised.
    """
    path = "/".join(place.parts)
    answer = _tried(path)
    accepted = answer["needs_acceptance"] and _was_accepted(answer)
    if answer["needs_acceptance"] and not accepted and not answer["is_own"]:
        raise InvalidParameter(
            f"{_licence_problem(answer)} Accept it on the Models page of the admin first.", field="model_path"
        )
    roles = [Role(role) for role in answer["roles"]]
    before = active_version(roles[0], Tier.FAST)
    places = [(role, Tier.FAST) for role in roles]
    versions = _activate(actor, path, answer, places, Action.MODEL_RELOADED, accepted=accepted)
    return versions[0], before


def model_activate(*, actor: Actor, path: str, role: Role, tier: Tier, licence_accepted: bool = False) -> ModelVersion:
    """Activate a file of the weights folder in one role and tier, and return its version.

    path: the path of the file, relative to the weights folder.
    licence_accepted: whether the operator has accepted the model's licence. The audit entry records this value.

    Raise InvalidParameter if the model does not support the role, or if its licence must be accepted and
    `licence_accepted` is False. Raise WeightsInvalid if the file cannot be used. Raise WaitTimeout if no worker tests
    the file in time, or if a host cannot copy the file.
    """
    return _activate_in(role, tier, actor=actor, path=path, answer=_tried(path), licence_accepted=licence_accepted)


def model_activate_again(*, actor: Actor, earlier: ModelVersion) -> ModelVersion:
    """Activate the file of an earlier activation again, in the same role and tier, and return the new version.

    The operator need not accept the licence again if the content and the licence of the file are unchanged. Raise the
    same errors as `model_activate`.
    """
    answer = _tried(earlier.path)
    place = Role(earlier.role), Tier(earlier.tier)
    return _activate_in(*place, actor=actor, path=earlier.path, answer=answer, licence_accepted=_was_accepted(answer))


def _activate_in(
    role: Role, tier: Tier, *, actor: Actor, path: str, answer: dict[str, Any], licence_accepted: bool
) -> ModelVersion:
    if role not in answer["roles"]:
        raise InvalidParameter(f"The model {answer['name']} cannot answer the role {role.label!r}.", field="role")
    if answer["needs_acceptance"] and not licence_accepted:
        raise InvalidParameter(f"{_licence_problem(answer)[:-1]}: accept it first.", field="licence_accepted")
    accepted = bool(answer["needs_acceptance"] and licence_accepted)
    return _activate(actor, path, answer, [(role, tier)], Action.MODEL_ACTIVATED, accepted=accepted)[0]


def _licence_problem(answer: dict[str, Any]) -> str:
    return f"The licence of {answer['name']} ({answer['licence']}) is not known to allow commercial use."


def _was_accepted(answer: dict[str, Any]) -> bool:
    """Return whether the operator accepted the licence of the same file at an earlier activation.

    answer: the worker's description of the file, from `_tried`.
    """
    earlier = ModelVersion.objects.filter(sha256=answer["sha256"], licence=answer["licence"], is_pending=False)
    return earlier.filter(licence_accepted=True).exists()


def model_deactivate(*, actor: Actor, role: Role, tier: Tier) -> None:
    """Deactivate the model of a role and tier. Do nothing if there is no active model.

    In the tier `fast` the built-in model replaces the deactivated one.
    """
    with transaction.atomic():
        before = active_version(role, tier)
        if before is None:
            return
        ModelVersion.objects.filter(pk=before.pk).update(is_active=False)
        audit_append(
            action=Action.MODEL_DEACTIVATED,
            author=Author.of(actor),
            target=before,
            before={"role": role, "tier": tier, "path": before.path},
        )


def activations_expire() -> int:
    """Delete the pending activations that have waited too long, and return their number.

    A pending activation remains in the database if its web process ends too early. Without the deletion, the hosts
    would continue to prepare its model.
    """
    longest_wait = dt.timedelta(seconds=settings.MATTING_ACTIVATION_WAIT_S + _PENDING_MARGIN_S)
    stale = ModelVersion.objects.filter(is_pending=True, created_at__lt=timezone.now() - longest_wait)
    return stale.delete()[0]


def _tried(path: str) -> dict[str, Any]:
    """Let a worker load a weights file and run it on a test picture. Return the worker's description of the model.

    The worker stores a copy of the file, and the description contains the storage key of the copy. If there are several
    hosts, this host stores the copy first, because the worker may run on a host that does not have the file.
    """
    has_other_hosts = bool(set(hosts_now()) - {host_name()})
    sha256, storage_key = _publish(path) if has_other_hosts else ("", "")
    answer: dict[str, Any] | None = queue.ask(
        WEIGHTS_TRY, path, sha256, storage_key, queue_name="interactive", timeout_s=settings.MATTING_ACTIVATION_WAIT_S
    )
    if answer is None:
        raise WaitTimeout("No worker has tried the weights file in time.")
    if "lacking" in answer:
        raise _hosts_lack([answer["lacking"]])
    if "error" in answer:
        raise WeightsInvalid(answer["error"], field="model_path")
    return answer


def _activate(
    actor: Actor,
    path: str,
    answer: dict[str, Any],
    places: Sequence[tuple[Role, Tier]],
    action: Action,
    *,
    accepted: bool = False,
) -> list[ModelVersion]:
    versions = [
        ModelVersion(
            role=role,
            tier=tier,
            name=answer["name"],
            path=path,
            sha256=answer["sha256"],
            architecture=answer["architecture"],
            licence=answer["licence"],
            licence_accepted=accepted,
            storage_key=answer["storage_key"],
            loaded_by=actor.user,
            loaded_by_name=actor.name,
        )
        for role, tier in places
    ]
    _prepare_hosts(versions[0], own=answer["host"])
    try:
        _replace(actor, versions, action)
    except IntegrityError:  # a concurrent request has activated another model: this activation follows it
        _replace(actor, versions, action)
    return versions


def _publish(path: str) -> tuple[str, str]:
    """Store a copy of a weights file for the host that tests it. Return the file's SHA-256 and its storage key.

    Return two empty strings if this host does not have the file; another host may have it.
    """
    file = Path(settings.MATTING_WEIGHTS_DIR) / path
    if not file.is_file():
        return "", ""
    sha256 = digest_of(file)
    return sha256, weights_publish(file, sha256)


def _prepare_hosts(version: ModelVersion, *, own: str) -> None:
    """Wait until all live hosts except `own` have loaded the file.

    own: the name of the host that has already loaded the file.

    Raise WeightsInvalid with the host's name and the reason if a host cannot load the file. Raise WaitTimeout with the
    names of the hosts that are not ready in time.
    """
    version.is_pending = True
    version.save(force_insert=True)
    deadline = time.monotonic() + settings.MATTING_ACTIVATION_WAIT_S
    try:
        while unprepared := {name: reason for name, reason in hosts_unprepared(version.sha256).items() if name != own}:
            for name, reason in unprepared.items():
                if reason:
                    raise WeightsInvalid(f"Not activated: {name} cannot load the file. {reason}", field="model_path")
            if time.monotonic() >= deadline:
                raise _hosts_lack(list(unprepared))
            time.sleep(_LOOK_EVERY_S)
    finally:
        ModelVersion.objects.filter(pk=version.pk).delete()
        version.pk, version.is_pending = None, False


def _hosts_lack(names: list[str]) -> WaitTimeout:
    return WaitTimeout(f"Not activated: {', '.join(names)} did not get the weights file and load it in time.")


def _replace(actor: Actor, versions: Sequence[ModelVersion], action: Action) -> None:
    """Activate the versions in one transaction, and write one audit entry for all of them."""
    with transaction.atomic():
        before = {version.role: active_version(version.role, version.tier) for version in versions}
        for version in versions:
            ModelVersion.objects.filter(is_active=True, role=version.role, tier=version.tier).update(is_active=False)
            version.pk, version.is_active = None, True
            version.save(force_insert=True)
        first, earlier = versions[0], before[versions[0].role]
        audit_append(
            action=action,
            author=Author.of(actor),
            target=first,
            before={} if earlier is None else {"path": earlier.path, "sha256": earlier.sha256},
            after={
                "path": first.path,
                "sha256": first.sha256,
                "tier": first.tier,
                "roles": [version.role for version in versions],
                "licence": first.licence,
                "licence_accepted": first.licence_accepted,
            },
        )
