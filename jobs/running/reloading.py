"""Restart of the site's programs when a source file changes. `make dev` uses this module."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from django.core.management.base import CommandError

WEB_SERVER = "web server"
WORKERS = "workers"

_SOURCES = ("jobs", "mattingsite", "segmentation", "webserver", "templates", "locale")
_SUFFIXES = (".py", ".html", ".txt", ".mo")
# Workers import none of these folders, so their models stay loaded when only a page changes.
_WEB_ONLY = ("templates", "locale", "jobs/web", "jobs/api", "jobs/admin", "jobs/templatetags", "webserver")


def watch(base: Path, *, on_change: Callable[[str], None]) -> None:
    """Watch the source files inside the folder `base` in a background thread.

    on_change: is called with the name of each program that must restart.
    Raise CommandError if the package watchfiles is not installed.
    """
    try:
        import watchfiles
    except ImportError:
        raise CommandError("--reload needs the package watchfiles, which requirements-dev.lock installs") from None

    def follow() -> None:
        folders = [base / name for name in _SOURCES]
        for changes in watchfiles.watch(*folders, debounce=300):
            for program in programs_to_restart([Path(path).relative_to(base) for _, path in changes]):
                on_change(program)

    threading.Thread(target=follow, name="reload", daemon=True).start()


def programs_to_restart(changed: list[Path]) -> list[str]:
    """Return the names of the programs that use one of the changed files.

    changed: paths relative to the project folder.
    """
    sources = [path for path in changed if path.suffix in _SUFFIXES]
    if not sources:
        return []
    only_web = all(any(path.is_relative_to(folder) for folder in _WEB_ONLY) for path in sources)
    return [WEB_SERVER] if only_web else [WEB_SERVER, WORKERS]
