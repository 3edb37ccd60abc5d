"""Queries for the active models and for the results of the models."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Avg, Count, FloatField, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from jobs.models import JobImage, ModelVersion, Role, Status, Tier


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


def model_figures(*, since: dt.datetime | None = None) -> list[ModelFigures]:
    """Return the times, the uncertainty and the share of corrected results of each model in each tier.

    A correction is a change by brush, box or click. since: count only pictures that ended later; None: all pictures.
    """
    answered = JobImage.objects.filter(status=Status.SUCCEEDED).exclude(model_version="")
    if since is not None:
        answered = answered.filter(finished_at__gte=since)
    rows = (
        answered.order_by()
        .values("model_version", "tier")
        .annotate(
            pictures=Count("id"),
            model_ms=Avg(Cast(KeyTextTransform("model", "timings_ms"), FloatField())),
            mean_uncertainty=Avg("uncertainty"),
            corrected=Count("id", filter=Q(is_corrected=True)),
        )
        .order_by("-pictures")
    )
    return [
        ModelFigures(
            model=row["model_version"],
            tier=row["tier"],
            pictures=row["pictures"],
            model_ms=row["model_ms"],
            uncertainty=row["mean_uncertainty"],
            corrected_share=row["corrected"] / row["pictures"],
        )
        for row in rows
    ]
