"""`manage.py mcp` runs a server for the Model Context Protocol (MCP), over standard input and output or over HTTP."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib.util import find_spec

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Serve tools for assistants (MCP): over stdio with the key in KEYLINE_KEY, or over HTTP with a key per request."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--http", action="store_true", help="serve streamable HTTP at /mcp instead of stdio")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8765)
        parser.add_argument("--url", default="", help="the site's URL, for links in jobs")

    def handle(self, *args: object, http: bool, host: str, port: int, url: str, **options: object) -> None:
        if find_spec("jobs.api.mcp") is None:
            raise CommandError("This site is installed without the tools for assistants (jobs/api/mcp).")
        from jobs.api.mcp.server import build_server, max_request_bytes

        server = build_server(base_url=url.rstrip("/"))
        if http:
            server.run("streamable-http", host=host, port=port, max_request_body_size=max_request_bytes())
        else:
            server.run("stdio")
