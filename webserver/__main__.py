"""The command `python -m webserver`: it runs the web server's parent process, or one of its web processes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# When this folder is run by its path, Python searches it for modules. Search the checkout instead.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from webserver.configuration import from_environment  # noqa: E402


def main() -> int:
    """Parse the command line, run the server and return the exit status.

    With `--child`, run one web process on the parent's descriptors instead.
    """
    parser = argparse.ArgumentParser(prog="python -m webserver", description="Serve Keyline's pages and APIs.")
    parser.add_argument("--child", nargs=3, type=int, metavar=("SOCKET", "PIPE", "LOCKS"), help="used internally")
    options = parser.parse_args()
    try:
        configuration = from_environment()
    except ValueError as error:
        parser.error(str(error))
    if options.child:
        from webserver.child import serve

        listener, pipe, lock_file = options.child
        serve(configuration, listener=listener, pipe=pipe, lock_file=lock_file)
        return 0
    from webserver.server import run

    return run(configuration)


if __name__ == "__main__":
    sys.exit(main())
