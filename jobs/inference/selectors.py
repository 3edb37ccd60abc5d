"""Queries for the active models and for statistics about the results of each model."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, FloatField, Max, Min, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from jobs.models import JobImage, ModelVersion, Role, Status, Tier
from segmentation.options import Method


def active_version(role: str, tier: str) -> ModelVersion | None:
    """Return the active version of a role and tier, or None if there is none.

    Without an active version, the tier `fast` uses the built-in model.
    """
    return ModelVersion.objects.filter(is_active=True, role=role, tier=tier).first()


def active_versions() -> dict[tuple[Role, Tier], ModelVersion]:
    """Return the active models as a dict from (role, tier) to version. The function runs one query."""
    rows = ModelVersion.objects.filter(is_active=True)
    return {(Role(row.role), Tier(row.tier)): row for row in rows}


def pending_versions() -> list[ModelVersion]:
    """Return the models that are not active yet because the hosts must load them first."""
    return list(ModelVersion.objects.filter(is_pending=True))


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """Statistics about the pictures that one model processed.

    pictures: the number of pictures.
    model_ms: the mean time of the model in milliseconds; None if it is unknown.
    uncertainty: the mean uncertainty (0..1); None if it is unknown.
    corrected_share: the share (0..1) of results that a person corrected.
    """

    model: str
    tier: str
    pictures: int
    model_ms: float | None
    uncertainty: float | None
    corrected_share: float


@dataclass(frozen=True, slots=True)
class TrialFigures:
    """Statistics about a trial model in one role, and about the other pictures for comparison.

    rest: the statistics of the pictures of the same teams, role and period that the trial model did not process. They
        include all qualities, so `model` and `tier` are empty.
    """

    role: Role
    trial: ModelFigures
    rest: ModelFigures


# The trial gets no clicks, see RoutedEngine.points.
_METHODS = {Role.SUBJECT: Method.AUTO, Role.PROMPTS: Method.BOXES, Role.PEOPLE: Method.INSTANCES}
_MEASURES: dict[str, Any] = {
    "pictures": Count("id"),
    "model_ms": Avg(Cast(KeyTextTransform("model", "timings_ms"), FloatField())),
    "mean_uncertainty": Avg("uncertainty"),
    "corrected": Count("id", filter=Q(is_corrected=True)),
    "first": Min("finished_at"),
    "last": Max("finished_at"),
}


def model_figures(*, since: dt.datetime | None = None) -> list[ModelFigures]:
    """Return the statistics of each model and tier, the model with the most pictures first.

    since: count only pictures that ended at or after this time; None counts all pictures.
    """
    rows = _measured(_answered(since), "model_version", "tier")
    return [_figures(row, model=row["model_version"], tier=row["tier"]) for row in rows]


def trial_figures(*, since: dt.datetime | None = None) -> list[TrialFigures]:
    """Return the statistics of each trial model and role, with those of the other pictures for comparison.

    The other pictures belong to the teams that take part in trials. They ended between the trial model's first and last
    picture.

    since: count only pictures that ended at or after this time; None counts all pictures.
    """
    found = []
    for role, method in _METHODS.items():
        pictures = _answered(since).filter(job__team__trial_percent__gt=0, job__options__method=method)
        pictures = pictures.filter(Q(job__options__points=[]) | Q(job__options__points__isnull=True))
        for row in _measured(pictures.filter(tier=Tier.TRIAL), "model_version"):
            rest = pictures.exclude(tier=Tier.TRIAL).filter(finished_at__range=(row["first"], row["last"]))
            trial = _figures(row, model=row["model_version"], tier=Tier.TRIAL)
            found.append(TrialFigures(role, trial, _figures(rest.aggregate(**_MEASURES), model="", tier="")))
    return found


def _answered(since: dt.datetime | None) -> QuerySet[JobImage]:
    """Return the pictures that a model has processed. Runs that correct an earlier result are left out."""
    answered = JobImage.objects.filter(status=Status.SUCCEEDED, job__corrects__isnull=True).exclude(model_version="")
    if since is not None:
        answered = answered.filter(finished_at__gte=since)
    return answered.order_by()


def _measured(pictures: QuerySet[JobImage], *groups: str) -> list[dict[str, Any]]:
    """Return the statistics of each group of pictures, the largest group first.

    groups: the columns that define the groups.
    """
    rows: Any = pictures.values(*groups)  # the type checker cannot follow annotations in a dictionary
    return list(rows.annotate(**_MEASURES).order_by("-pictures"))


def _figures(row: dict[str, Any], *, model: str, tier: str) -> ModelFigures:
    return ModelFigures(
        model=model,
        tier=tier,
        pictures=row["pictures"],
        model_ms=row["model_ms"],
        uncertainty=row["mean_uncertainty"],
        corrected_share=row["corrected"] / max(1, row["pictures"]),
    )
