"""The hosts and their weights files, as reported by the heartbeats of their workers."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from django.conf import settings

from jobs.work import queue

DIGITS = 12  # characters of a sha256 in heartbeats


@dataclass(slots=True)
class Host:
    """A host with workers: its weights files, its loaded models, and the active models that it cannot load."""

    name: str
    weights: set[str] = field(default_factory=set)
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
        host.missing |= set(worker.get("missing", []))
        host.loaded += worker.get("loaded", [])
        host.workers += 1
    return hosts


def other_host_has(sha256: str, *, own: str) -> bool:
    """Return whether a live host other than `own` has the weights file with this SHA-256."""
    return any(sha256[:DIGITS] in host.weights for name, host in hosts_now().items() if name != own)


def hosts_without(sha256: str) -> list[str]:
    """Return the names of the live hosts that do not have the weights file with this SHA-256."""
    return sorted(name for name, host in hosts_now().items() if sha256[:DIGITS] not in host.weights)
