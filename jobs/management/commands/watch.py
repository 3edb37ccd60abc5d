"""`manage.py watch` watches a folder or a bucket prefix and removes the background of each new picture."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from jobs.errors import NotFound
from jobs.models import Team
from jobs.recipes.selectors import recipe_get
from jobs.teams.actor import Actor
from jobs.watching.configured import ConfiguredWatchers
from jobs.watching.places import Place
from jobs.watching.watcher import Watch, Watcher
from segmentation.errors import MattingError
from segmentation.options import CutoutOptions, Format


class Command(BaseCommand):
    help = "Watch a folder or s3://bucket/prefix: each picture becomes a job, its results go to --out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", help="a folder, or s3://bucket/prefix")
        parser.add_argument("--all", action="store_true", help="watch the folders that are set up in the admin")
        parser.add_argument("--out", help="where results and the manifest go: a folder or s3://…")
        parser.add_argument("--team", default="First team", help="whose quota is charged (default: First team)")
        parser.add_argument("--recipe", help="a recipe of the team or a built-in one; without it the plain cut-out")
        parser.add_argument("--format", choices=list(Format), default=Format.PNG, help="of the plain cut-out")
        parser.add_argument("--settled", type=float, default=3.0, metavar="S", help="seconds a file must be unchanged")
        parser.add_argument("--at-once", type=int, default=8, metavar="N", help="pictures under way at once")
        parser.add_argument("--once", action="store_true", help="end when the folder is empty")

    def handle(self, *args: object, **options: object) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        if options["all"]:
            self.stdout.write("watching the folders of the admin")
            ConfiguredWatchers(stopping).run()
            return
        if not options["folder"] or not options["out"]:
            raise CommandError("name a folder and --out, or give --all")
        try:
            watch = _watch_from(options)
            lock = watch.source.lock()
        except MattingError as error:
            raise CommandError(error.message) from None
        watcher = Watcher(watch, stopping=stopping)
        self.stdout.write(f"watching {watch.source.location}")
        try:
            watcher.run(until_empty=bool(options["once"]))
        finally:
            if lock is not None:
                lock.close()
        self.stdout.write(f"{watcher.done} done, {watcher.failed} failed")


def _watch_from(options: dict[str, object]) -> Watch:
    """Return the Watch that the command's arguments describe. Raise a MattingError if an argument is invalid."""
    team = Team.objects.filter(name=options["team"]).first()
    if team is None:
        raise NotFound(f"There is no team {options['team']!r}.")
    actor = Actor(team=team)
    source, output = Place(str(options["folder"])), Place(str(options["out"]))
    source.require()
    output.require(create=True)
    recipe = recipe_get(actor, str(options["recipe"])) if options["recipe"] else None
    return Watch(
        source=source,
        output=output,
        actor=actor,
        options=CutoutOptions(format=Format(str(options["format"]))),
        recipe=recipe,
        settled_s=float(str(options["settled"])),
        at_once=int(str(options["at_once"])),
    )
