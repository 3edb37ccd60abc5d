"""The hosts and their weights files, read from the heartbeats of the workers."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from django.conf import settings

from jobs.work import queue

DIGITS = 12  # characters of a sha256 in heartbeats


@dataclass(slots=True)
class Host:
    """One host that runs workers.

    weights: the weights files on this host.
    loadable: the weights that a worker of this host has loaded.
    failed: a dict. Each key is a weights file that a worker could not load, and the value is the reason.
    missing: the names of the active models that this host does not have or cannot load.
    loaded: the models that are in memory now.

    Each weights file is named by the first DIGITS characters of its SHA-256.
    """

    name: str
    weights: set[str] = field(default_factory=set)
    loadable: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    loaded: list[dict[str, object]] = field(default_factory=list)
    workers: int = 0


def host_name() -> str:
    """Return the name that this host has in heartbeats. Two installations on one machine need different names."""
    return settings.MATTING_HOST or socket.gethostname()


def hosts_now() -> dict[str, Host]:
    """Return a dict from host name to Host for all hosts with a live model worker.

    Raise RedisError if the queue cannot be reached.
    """
    hosts: dict[str, Host] = {}
    for worker in queue.live_workers():
        if worker.get("role") != "pictures":
            continue
        host = hosts.setdefault(str(worker.get("host", "")), Host(str(worker.get("host", ""))))
        host.weights |= set(worker.get("weights", []))
        host.loadable |= set(worker.get("loadable", []))
        host.failed |= worker.get("failed", {})
        host.missing |= set(worker.get("missing", []))
        host.loaded += worker.get("loaded", [])
        host.workers += 1
    return hosts


def other_host_can_load(sha256: str, *, own: str) -> bool:
    """Return whether a live host other than `own` has a weights file and has not failed to load it.

    sha256: the hash of the weights file (hex).
    own: the name of the host to leave out.
    """
    digits = sha256[:DIGITS]
    return any(
        digits in host.weights and (digits in host.loadable or digits not in host.failed)
        for name, host in hosts_now().items()
        if name != own
    )


def hosts_unprepared(sha256: str) -> dict[str, str]:
    """Return the live hosts that have not loaded a weights file, as a dict from host name to a text.

    The text is the reason why the host could not load the file. It is empty if the host has not tried yet.
    """
    digits = sha256[:DIGITS]
    hosts = sorted(hosts_now().items())
    return {name: host.failed.get(digits, "") for name, host in hosts if digits not in host.loadable}
