"""Start of the web server: the parent process, with the application loaded, and the web processes."""

from __future__ import annotations

from functools import partial

from webserver.child import load_application, serve
from webserver.configuration import Configuration
from webserver.forks import may_fork
from webserver.parent import Parent


def run(configuration: Configuration) -> int:
    """Open the port, load the application, serve until SIGTERM or SIGINT, and return the exit status."""
    parent = Parent(configuration, serve=partial(serve, configuration))
    if may_fork():
        load_application()
    return parent.run()
