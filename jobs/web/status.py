"""The page that shows people whether the site works. Programs use /health instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from jobs.running import readiness


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the site, and whether it has a problem.

    The page does not show the reason for the problem. Operators find the reason at /health.

    name: the name of the part.
    problem: whether its check has failed.
    """

    name: str | Promise
    problem: bool


class StatusView(TemplateView):
    """Page that shows for each part of the site whether it works."""

    template_name = "status.html"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        queue = readiness.queue_problem()
        workers = [] if queue else readiness.live_workers()
        checks = [
            Check(_("Database"), bool(readiness.database_problem())),
            Check(_("Queue"), bool(queue)),
            Check(_("Storage of files"), bool(readiness.storage_problem())),
            Check(_("Cutting out"), bool(readiness.worker_problem(workers) or readiness.weights_problem(workers))),
        ]
        problems = any(check.problem for check in checks)
        return super().get_context_data(checks=checks, problems=problems, health_url=reverse("health"), **values)
