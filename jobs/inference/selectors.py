"""Queries for the active models and for the results of the models."""

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
    """Return the active version of a role and tier; None if there is none: then `fast` uses the built-in model."""
    return ModelVersion.objects.filter(is_active=True, role=role, tier=tier).first()


def active_versions() -> dict[tuple[Role, Tier], ModelVersion]:
    """Return the active models by role and tier, with one query."""
    rows = ModelVersion.objects.filter(is_active=True)
    return {(Role(row.role), Tier(row.tier)): row for row in rows}


def pending_versions() -> list[ModelVersion]:
    """Return the models that the hosts must copy before the models become active."""
    return list(ModelVersion.objects.filter(is_pending=True))


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """The results of one model on the pictures that it processed. Shares are 0..1, times are in milliseconds."""

    model: str
    tier: str
    pictures: int
    model_ms: float | None
    uncertainty: float | None
    corrected_share: float


@dataclass(frozen=True, slots=True)
class TrialFigures:
    """The results of a trial model in one role, and those of the other pictures of the same teams, role and period.

    `rest` contains all qualities, with empty names.
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
    """Return for each model its times, uncertainty, and the share of results corrected by brush, box or click."""
    rows = _measured(_answered(since), "model_version", "tier")
    return [_figures(row, model=row["model_version"], tier=row["tier"]) for row in rows]


def trial_figures(*, since: dt.datetime | None = None) -> list[TrialFigures]:
    """Compare each trial model with what the other pictures of the teams that have a trial share got.

    The period is that between the trial model's first and last picture.
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
    """Return the pictures that a model has processed, without the runs that correct an earlier result."""
    answered = JobImage.objects.filter(status=Status.SUCCEEDED, job__corrects__isnull=True).exclude(model_version="")
    if since is not None:
        answered = answered.filter(finished_at__gte=since)
    return answered.order_by()


def _measured(pictures: QuerySet[JobImage], *groups: str) -> list[dict[str, Any]]:
    """Return the measures of each group of pictures, the largest group first."""
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
