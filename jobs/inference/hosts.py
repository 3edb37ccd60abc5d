"""The hosts and their weights files, as reported by the heartbeats of their workers."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from django.conf import settings

from jobs.work import queue

DIGITS = 12  # characters of a sha256 in heartbeats


@dataclass(slots=True)
class Host:
    """One host with workers: its weights, and the active models that it cannot load.

    loadable: the weights that a worker has loaded; failed: the reason for each that a worker could not load.
    """

    name: str
    weights: set[str] = field(default_factory=set)
    loadable: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    loaded: list[dict[str, object]] = field(default_factory=list)
    workers: int = 0


def host_name() -> str:
    """Return the name of this host in heartbeats. Two installations on one machine need different names."""
    return settings.MATTING_HOST or socket.gethostname()


def hosts_now() -> dict[str, Host]:
    """Return the hosts that have a live model worker, by name. Raise RedisError if the queue cannot be reached."""
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
    """Return whether a live host other than `own` has a weights file and has not failed to load it."""
    digits = sha256[:DIGITS]
    return any(
        digits in host.weights and (digits in host.loadable or digits not in host.failed)
        for name, host in hosts_now().items()
        if name != own
    )


def hosts_unprepared(sha256: str) -> dict[str, str]:
    """Return the live hosts that have not loaded a weights file, each with the reason of its failure or ""."""
    digits = sha256[:DIGITS]
    hosts = sorted(hosts_now().items())
    return {name: host.failed.get(digits, "") for name, host in hosts if digits not in host.loadable}
