"""`manage.py measure_runtimes` finds the fastest runtime for each model on this machine, and stores the result.

With `MATTING_RUNTIME=auto` a worker starts this command once, at low priority. Workers use the result at their start.
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
