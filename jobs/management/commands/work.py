"""Stage 5, worker: `manage.py work` runs this machine's workers until it is told to stop."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from jobs.running import worker
from jobs.work import queue


class Command(BaseCommand):
    help = "Run this machine's workers: warm model processes, deliveries and the sweeper."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--processes", type=int, default=settings.MATTING_WORKERS, help="model processes")
        parser.add_argument(
            "--child", choices=list(queue.QUEUES_OF_ROLE), help="be one of the processes (used by itself)"
        )

    def handle(self, *args: object, **options: object) -> None:
        if options["child"]:
            worker.run_child(options["child"])
        else:
            worker.WorkerParent(options["processes"]).run()
