"""Watchers for the folders that staff have configured in the admin. Each watcher has its own thread."""

from __future__ import annotations

import logging
import threading

from django.db import close_old_connections

from jobs.models import WatchedFolder
from jobs.recipes.selectors import recipe_named
from jobs.teams.actor import Actor
from jobs.watching.places import Place
from jobs.watching.watcher import Watch, Watcher
from segmentation.errors import MattingError
from segmentation.options import CutoutOptions

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0  # seconds between two looks for new, changed and disabled WatchedFolder rows


class ConfiguredWatchers:
    """The watchers of the folders that staff have enabled in the admin (the WatchedFolder rows).

    A watcher submits the new pictures of one folder or one bucket prefix. When these rows change, watchers are started
    or stopped.
    stopping: an event; set it to stop all watchers.
    """

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._running: dict[int, tuple[str, threading.Event, threading.Thread]] = {}

    def run(self) -> None:
        """Run the watchers until a stop is requested, then wait until each watcher has finished its work."""
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(LOOK_EVERY_S)
        for _, stop, _ in self._running.values():
            stop.set()
        for _, _, thread in self._running.values():
            thread.join()

    def look(self) -> None:
        """Start a watcher for each new WatchedFolder row, and stop the watchers whose rows were changed or disabled."""
        close_old_connections()
        rows = {row.pk: row for row in WatchedFolder.objects.filter(is_enabled=True).select_related("team")}
        for pk, (state, stop, thread) in list(self._running.items()):
            if pk not in rows or _state_of(rows[pk]) != state:
                stop.set()
            if not thread.is_alive():
                del self._running[pk]
        for pk, row in rows.items():
            if pk not in self._running:
                stop = threading.Event()
                thread = threading.Thread(target=_watch, args=(row, stop), name=f"watch {row.source}", daemon=True)
                self._running[pk] = (_state_of(row), stop, thread)
                thread.start()


def watch_of(row: WatchedFolder) -> Watch:
    """Return the settings of the watcher for a WatchedFolder row.

    If the output folder is missing, it is created. Raise a MattingError that describes an invalid value of the row.
    """
    actor = Actor(team=row.team)
    source, output = Place(row.source), Place(row.output)
    source.require()
    output.require(create=True)
    recipe = recipe_named(actor, row.recipe) if row.recipe else None
    return Watch(
        source=source,
        output=output,
        actor=actor,
        options=CutoutOptions(),
        recipe=recipe,
        settled_s=row.settled_s,
        at_once=row.at_once,
    )


def _watch(row: WatchedFolder, stop: threading.Event) -> None:
    """Run the watcher of one row until a stop is requested.

    If an error ends the watcher, store the error in the row. `ConfiguredWatchers.look` then starts the watcher again.
    """
    problem = ""
    try:
        watch = watch_of(row)
        lock = watch.source.lock()
        try:
            WatchedFolder.objects.filter(pk=row.pk).update(problem="")
            Watcher(watch, stopping=stop).run()
        finally:
            if lock is not None:
                lock.close()
    except MattingError as error:
        problem = error.message
    except Exception as error:
        logger.exception("watching %s failed", row.source)
        problem = str(error) or type(error).__name__
    finally:
        if problem:
            WatchedFolder.objects.filter(pk=row.pk).update(problem=problem[:300])
        close_old_connections()


def _state_of(row: WatchedFolder) -> str:
    return repr((row.team_id, row.source, row.output, row.recipe, row.settled_s, row.at_once))
