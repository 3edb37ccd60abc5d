"""`manage.py worker_alive` ends with status 0 if a model worker is alive on this host. Container probes use it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.inference.hosts import host_name
from jobs.running import readiness


class Command(BaseCommand):
    help = "Exit with status 1 unless a worker with a model has sent a heartbeat from this host."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        here = [worker for worker in readiness.live_workers() if worker.get("host") == host_name()]
        problem = readiness.worker_problem(here)
        if problem:
            raise CommandError(problem)
