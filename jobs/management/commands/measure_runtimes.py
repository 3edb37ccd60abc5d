"""`manage.py measure_runtimes` finds the fastest runtime for each model on this machine and stores the result.

With `MATTING_RUNTIME=auto` a worker runs this command at low priority when a model has not been measured. Workers read
the result when they start.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Measure the runtimes for the built-in and the active models, and remember the fastest of each."

    def handle(self, *args: Any, **options: Any) -> None:
        from jobs.inference.measuring import runtimes_measure

        for path, runtime in runtimes_measure():
            self.stdout.write(f"{path.name}: {runtime}")
