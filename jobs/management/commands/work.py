"""`manage.py work` runs the workers of this machine until it receives SIGTERM or SIGINT."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from jobs.running import checks, worker
from jobs.work import queue


class Command(BaseCommand):
    help = "Run this machine's workers: model processes, downloads, deliveries, zips and upkeep."
    requires_system_checks = [checks.TAG]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--processes", type=int, default=settings.MATTING_WORKERS, help="model processes")
        parser.add_argument("--child", choices=list(queue.QUEUES_OF_ROLE), help="internal: run one of the processes")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["child"]:
            from jobs.running.worker_child import run_child

            run_child(options["child"])
        else:
            # The processes divide threads and memory by this number, also those that read it from the environment.
            settings.MATTING_WORKERS = options["processes"]
            os.environ["MATTING_WORKERS"] = str(options["processes"])
            worker.run_workers(options["processes"])
