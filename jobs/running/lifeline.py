"""Start-up: ends the site's processes when their supervisor is gone, however it went. Runs as a script of its own.

The supervisor holds the other end of standard input and writes `+PGID` for every process group it starts and `-PGID`
for every one that has ended. Standard input closes with the supervisor, even when that one is killed by SIGKILL; the
groups still alive then get SIGTERM and, after a grace period, SIGKILL. Only the standard library is imported, so that
this process costs next to nothing.
"""

import os
import signal
import sys
import time


def main(grace_s: float) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the supervisor is the only one that ends us, by closing the pipe
    groups: set[int] = set()
    for line in sys.stdin:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        else:
            groups.discard(int(line[1:]))
    end(groups, grace_s)


def end(groups: set[int], grace_s: float) -> None:
    """Send SIGTERM to every group, wait until all are gone or `grace_s` has passed, then send SIGKILL."""
    for group in groups:
        send(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(send(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Send a signal to a process group; say whether there was anybody to get it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main(float(sys.argv[1]))
