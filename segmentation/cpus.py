"""The number of CPUs and GPUs that this process may use.

Django's settings import this module, so it imports only the standard library.
"""

from __future__ import annotations

import math
import os
from itertools import takewhile
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_cpus(cgroup: Path = _CGROUP) -> int:
    """Return the number of CPUs that this process may use, at least 1.

    It is the smaller of two numbers: the CPUs to which the process is bound, and the container's CPU quota.
    `os.cpu_count` ignores both: in a container limited to 2 of 64 CPUs it returns 64.

    cgroup: the folder of the cgroup file system.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def visible_gpus(devices: Path = Path("/dev")) -> list[str]:
    """Return the numbers or ids of the NVIDIA GPUs that this process may use, as in CUDA_VISIBLE_DEVICES.

    If the environment variable CUDA_VISIBLE_DEVICES is not set, return the numbers of the GPUs' device files in the
    folder `devices`.
    """
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        # As in CUDA, the first negative number ends the list; `-1` alone hides all GPUs.
        numbers_or_ids = (part.strip() for part in chosen.split(","))
        return list(takewhile(lambda part: part and not part.startswith("-"), numbers_or_ids))
    numbers = (path.name.removeprefix("nvidia") for path in devices.glob("nvidia[0-9]*"))
    return sorted(filter(str.isdecimal, numbers), key=int)


def default_workers(*, may_use_gpus: bool) -> int:
    """Return the default number of model workers for this machine, at least 1.

    With GPUs, there is one worker per GPU. A second worker would share the GPU and need memory for a second model.
    Without GPUs, there is one worker for every four CPUs, but at least two workers if there are two CPUs. With two
    workers, one worker can decode and encode while the other one runs its model.

    may_use_gpus: if False, ignore the GPUs.
    """
    gpus = len(visible_gpus()) if may_use_gpus else 0
    return gpus or max(min(2, available_cpus()), available_cpus() // 4)


def _quota(cgroup: Path) -> float | None:
    """Return the CPU limit of a cgroup (version 2 or 1) as a number of CPUs; None if there is no limit."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if quota in ("max", "-1"):
        return None
    try:
        return int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
