"""Choose the weights that all workers load before their next picture."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from jobs.audit.trail import Author, audit_append
from jobs.errors import WaitTimeout
from jobs.intake.folders import Place
from jobs.models import Action, ModelVersion
from jobs.teams.actor import Actor
from jobs.work import queue
from jobs.work.registry import Task
from jobs.work.selectors import active_model
from segmentation.errors import WeightsInvalid

WEIGHTS_TRY = Task("weights_try")


def model_reload(*, actor: Actor, place: Place) -> tuple[ModelVersion, ModelVersion | None]:
    """Let a worker try a file of the weights folder and activate it; return its version and the one before.

    Raise WeightsInvalid with the reason, and WaitTimeout when no worker replies; then nothing changes.
    """
    path = "/".join(place.parts)
    answer = queue.ask(WEIGHTS_TRY, path, queue_name="interactive", timeout_s=settings.MATTING_MAX_WAIT_S)
    if answer is None:
        raise WaitTimeout("No worker has tried the weights file in time.")
    if "error" in answer:
        raise WeightsInvalid(answer["error"], field="model_path")
    return model_activate(actor=actor, path=path, **answer)


def model_activate(
    *, actor: Actor, path: str, name: str, sha256: str, architecture: str
) -> tuple[ModelVersion, ModelVersion | None]:
    """Activate a weights file that was tried; return its version and the one before."""
    version = ModelVersion(
        name=name,
        path=path,
        sha256=sha256,
        architecture=architecture,
        is_active=True,
        loaded_by=actor.user,
        loaded_by_name=actor.name,
    )
    try:
        return version, _replace(actor, version)
    except IntegrityError:  # another request activated one at the same moment: this one comes after it
        return version, _replace(actor, version)


def _replace(actor: Actor, version: ModelVersion) -> ModelVersion | None:
    with transaction.atomic():
        before = active_model()
        ModelVersion.objects.filter(is_active=True).update(is_active=False)
        version.save(force_insert=True)
        audit_append(
            action=Action.MODEL_RELOADED,
            author=Author.of(actor),
            target=version,
            before={} if before is None else {"path": before.path, "sha256": before.sha256},
            after={"path": version.path, "sha256": version.sha256},
        )
    return before
