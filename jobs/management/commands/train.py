"""`manage.py train` trains the built-in network on a folder of pictures and masks."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from segmentation.errors import MattingError


class Command(BaseCommand):
    requires_system_checks = ()  # this command uses neither the database nor the pages
    help = "Train the built-in network. OUT/weights.safetensors can be served at any time; --resume continues."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="a folder of pairs, a zip, or a folder of zips")
        parser.add_argument("--out", type=Path, required=True, help="where state and weights are written")
        length = parser.add_mutually_exclusive_group(required=True)
        length.add_argument("--minutes", type=float, default=0.0, help="length of the whole schedule")
        length.add_argument("--pictures", type=int, default=0, help="length of the schedule in pictures seen")
        parser.add_argument("--size", type=int, default=320, help="side in pixels in the last stage (default: 320)")
        parser.add_argument("--batch", type=int, default=16, help="pictures per step (default: 16)")
        parser.add_argument("--workers", type=int, default=1, help="parallel parts of a batch, one core each")
        parser.add_argument("--device", default="cpu", help="cpu or cuda")
        parser.add_argument("--initial", type=Path, metavar="WEIGHTS", help="start from these weights at lower rates")
        parser.add_argument("--encoder", type=Path, help="start the encoder from this ImageNet checkpoint")
        parser.add_argument("--resume", action="store_true", help="continue from the state in OUT")

    def handle(self, *args: Any, **options: Any) -> None:
        from training.train import Schedule, train_from

        if options["size"] < 32 or options["size"] % 32:
            raise CommandError("--size must be a multiple of 32")
        if options["batch"] < 2 or max(options["minutes"], options["pictures"]) <= 0:
            raise CommandError("--batch must be 2 or more, and --minutes or --pictures above 0")
        if not 1 <= options["workers"] <= options["batch"] // 2:
            raise CommandError("--workers must be 1 or more, with at least two pictures of a batch for each")
        schedule = Schedule(**{name: options[name] for name in ("minutes", "pictures", "size", "batch", "workers")})
        stop = Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        try:
            run = train_from(
                data=options["data"],
                out=options["out"],
                schedule=schedule,
                device=options["device"],
                initial=options["initial"],
                encoder=options["encoder"],
                resume=options["resume"],
                say=self._say,
                stopped=stop.is_set,
            )
        except (MattingError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"stopped; --resume continues from {options['out'] / 'state.pt'}") from None
        if stop.is_set():
            self._say(f"stopped at {run.seen} pictures; --resume continues from {options['out'] / 'state.pt'}")
            return
        self._say(f"done: {run.seen} pictures seen, loss {run.loss:.4f}, {options['out'] / 'weights.safetensors'}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
