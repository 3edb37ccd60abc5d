"""A function that starts `manage.py mcp --http`, which offers the MCP tools of a running site over HTTP."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator

from tests.stack import ROOT, Stack, free_port, wait_for


@contextlib.contextmanager
def serving_tools(stack: Stack) -> Iterator[int]:
    """Serve the site's MCP tools over streamable HTTP and yield the port; stop the server at the end of the block."""
    port = free_port()
    command = [sys.executable, str(ROOT / "manage.py"), "mcp", "--http", "--port", str(port), "--url", stack.base_url]
    with subprocess.Popen(command, env=stack.environment, cwd=ROOT, stderr=subprocess.DEVNULL) as server:

        def listens() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
            return False

        try:
            wait_for(listens, timeout_s=120, what="the MCP server does not listen")
            yield port
        finally:
            server.terminate()
