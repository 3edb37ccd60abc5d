"""A script that ends the programs of a supervisor when the supervisor dies.

The supervisor writes to this script's standard input: `+PGID` for each process group that it starts, `-PGID` for each
group that has ended. The pipe closes when the supervisor dies, even after SIGKILL. The remaining groups then receive
SIGTERM and, after a grace period, SIGKILL. Only the standard library is imported, to keep this process small.
"""

import os
import signal
import sys
import time


def main(grace_s: float) -> None:
    """Read standard input until it closes, then end the remaining process groups.

    grace_s: the seconds between SIGTERM and SIGKILL.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the supervisor may end this process, by closing the pipe
    groups: set[int] = set()
    for line in sys.stdin:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        else:
            groups.discard(int(line[1:]))
    end(groups, grace_s)


def end(groups: set[int], grace_s: float) -> None:
    """Send SIGTERM to each process group, wait until all have ended or `grace_s` seconds passed, then send SIGKILL."""
    for group in groups:
        send(group, signal.SIGTERM)
    deadline_s = time.monotonic() + grace_s
    while time.monotonic() < deadline_s and any(send(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Send a signal to a process group; return False if the group does not exist or may not be signalled.

    number: the number of the signal; 0 only tests whether the group exists.
    """
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main(float(sys.argv[1]))
